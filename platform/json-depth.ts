/** `JSON.stringify` and whatever else walks JSON level by level fails at a few thousand; nothing sensible has this many. */
export const MAX_JSON_LEVELS = 500;

/** Whether JSON is nested deeper. Values of other kinds, like uploads, are not looked into. */
export function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) return value.some((item) => isDeeperThan(levels - 1, item));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  for (const key in value) if (isDeeperThan(levels - 1, (value as Record<string, unknown>)[key])) return true;
  return false;
}
