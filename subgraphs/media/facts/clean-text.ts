/**
 * A text out of a stranger's file, fit for storing and showing: NFC, on one line, no control or direction-changing
 * characters, at most `maxLength` characters. Null when nothing is left.
 */
export function cleanText(text: unknown, maxLength: number): string | null {
  if (typeof text !== 'string') return null;
  const cleaned = text
    .slice(0, maxLength * 16) // no work for what is cut off anyway
    .replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd')
    .normalize('NFC')
    .replace(/[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]+/gu, ' ')
    .replace(/\s+/gu, ' ')
    .trim();
  return [...cleaned].slice(0, maxLength).join('').trim() || null;
}
