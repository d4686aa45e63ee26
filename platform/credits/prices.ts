/** What one credit pays for, in the unit that jobs of the kind are measured in; null: nothing is asked for. */
const UNITS: Readonly<Record<string, number | null>> = {
  TRANSCRIBE: 60_000, // a minute heard
  TRANSCODE: 60_000, // a minute converted
  TRANSLATE_TRANSCRIPT: 1_000, // characters
  EXPORT_TRANSCRIPT: null,
  REFINE_TRANSCRIPT: null, // the live session has paid for it
};
/** A minute of a live session that was heard; its refinement is in it. */
const LIVE_UNIT_MS = 60_000;

/**
 * What a job costs, in credits: one for each unit of its kind that is begun, at least one, and one while its size is not
 * known yet. 0 for kinds that cost nothing beside such that do; null for those that have nothing to do with credits.
 */
export function priceOf(kind: string, size: number | bigint | null): number | null {
  const unit = UNITS[kind];
  if (unit === undefined) return null;
  if (unit === null) return 0;
  return Math.max(1, Math.ceil(Number(size ?? 0) / unit));
}

/** Whether jobs of the kind cost anything. */
export function isPriced(kind: string): boolean {
  return typeof UNITS[kind] === 'number';
}

/** What a live session costs of which so many milliseconds were heard; nothing when none were. */
export function livePriceOf(heardMs: number): number {
  return Math.ceil(Math.max(0, heardMs) / LIVE_UNIT_MS);
}
