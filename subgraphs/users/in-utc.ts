/** An instant for people, to the minute, e.g. `2026-11-26 at 14:05 UTC`. */
export function inUtc(instant: Date): string {
  return `${instant.toISOString().slice(0, 16).replace('T', ' at ')} UTC`;
}
