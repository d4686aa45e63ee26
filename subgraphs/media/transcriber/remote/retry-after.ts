/**
 * Milliseconds that a `Retry-After` header asks for: whole seconds or an HTTP date (RFC 9110 §10.2.3); null without a
 * header or when it is neither.
 */
export function retryAfterMs(header: string | string[] | undefined, now: number = Date.now()): number | null {
  const value = (Array.isArray(header) ? header[0] : header)?.trim() ?? '';
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1_000;
  // A date has a day's name and GMT; Date.parse alone would take "1.5" for a year.
  const at = /^[A-Za-z]{3,9},? .*GMT$/.test(value) ? Date.parse(value) : NaN;
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}
