/** What JSON.stringify would escape, or may: surrogates that stand alone. */

const NEEDS_ESCAPE = /["\\\u0000-\u001f\ud800-\udfff]/;

/** The JSON text of a string. Most need no escape, and a test for that is faster than JSON.stringify. */
export function jsonString(value: string): string {
  return NEEDS_ESCAPE.test(value) ? JSON.stringify(value) : `"${value}"`;
}

/** The JSON text of any JSON value; undefined for what JSON cannot say. */
export function jsonValue(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return jsonString(value);
    case 'number':
      return Number.isFinite(value) ? String(value) : undefined;
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      return value === null ? 'null' : objectText(value);
    default:
      return undefined;
  }
}

function objectText(value: object): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined; // nested too deep for the stack, or a BigInt somewhere in it
  }
}
