/** What part of a file a request asks for; `unsatisfiable` is answered with 416. */
export type RangeOutcome = { start: number; end: number } | 'whole' | 'unsatisfiable';

/**
 * Reads a Range header (RFC 9110 §14.1.2) for a file of `size` bytes. One range of bytes is honoured. Whatever the RFC
 * lets a server ignore is ignored: other units, malformed ranges, and several ranges at once, which could otherwise make
 * an answer many times larger than the file.
 */
export function readRange(header: string | undefined, size: number): RangeOutcome {
  const match = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(header ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return 'whole';
  const [first, last] = [match[1]!, match[2]!];
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length > 0 ? { start: size - length, end: size - 1 } : 'unsatisfiable';
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return 'whole';
  if (start >= size) return 'unsatisfiable';
  return { start, end: last === '' ? size - 1 : Math.min(Number(last), size - 1) };
}
