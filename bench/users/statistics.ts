/** The middle of the values; the mean of both in the middle where their number is even. */
export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((one, two) => one - two);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2;
}

/**
 * How often whoever is told one value of each set guesses right which is which by their order (the area under the ROC
 * curve): 0.5 when they tell nothing, 1 when they tell everything.
 */
export function areaUnderCurve(one: readonly number[], two: readonly number[]): number {
  const larger = one.flatMap((a) => two.map((b): number => (a > b ? 1 : a === b ? 0.5 : 0)));
  const area = larger.reduce((sum, value) => sum + value, 0) / larger.length;
  return Math.max(area, 1 - area);
}
