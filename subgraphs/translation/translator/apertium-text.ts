/**
 * Text to Apertium's stream format and back.
 *
 * The stream format (https://wiki.apertium.org/wiki/Apertium_stream_format) reserves `[]{}^$/\@<>`: unescaped, one `@`
 * in an e-mail address makes a program of the pipe exit. `[…]` is a superblank, passed through untouched. `.[]` is a
 * full stop that nobody sees: it ends sentences at line breaks, and the pipe flushes only after one.
 */

/** Characters that Apertium cannot escape but gives a meaning (marks of unknown words, elision), and their stand-ins. */
const STAND_INS = new Map([
  ['*', '\uFDD0'],
  ['#', '\uFDD1'],
  ['~', '\uFDD2'],
]);
/**
 * lt-proc silently drops text when one token (an address, say) outgrows its 2,048 character buffer, so longer runs
 * without white space are cut by a superblank that {@link fromStream} removes.
 */
const LONG_RUN = /\S{1000}(?=\S)/gu;
const CUT = '\uFDD3';
const ORIGINALS = new Map([...STAND_INS].map(([original, standIn]) => [standIn, original]));

/** Unicode noncharacters; U+FFFF is the C library's end of file and would cut one answer in two. */
const NONCHARACTERS = /\p{Noncharacter_Code_Point}/gu;

/** What the caller wrote, in stream format. NUL bytes are dropped, since one of them ends the request. */
export function toStream(text: string): string {
  const plain = text.replaceAll('\0', '').replace(NONCHARACTERS, '\uFFFD').normalize('NFC');
  const stream = plain.replace(LONG_RUN, `$&${CUT}`).replace(/\s{2,}|[^\S ]|[[\]{}^$/\\@<>]|[*#~\uFDD3]/gu, (match) => {
    if (match === CUT) return '[-]';
    if (/^\s/u.test(match)) return /[\r\n\u2028\u2029]/.test(match) ? `.[][${match}]` : `[${match}]`;
    return STAND_INS.get(match) ?? `\\${match}`;
  });
  return `${stream}.[]`;
}

/** What the pipe answered, as text, and the words it marked: `*` unknown, `@` no translation, `#` no inflected form. */
export function fromStream(stream: string): { text: string; unknownWords: string[] } {
  const unknownWords = new Set<string>();
  const parts =
    stream
      .replaceAll('.[]', '')
      .replaceAll('[-]', '')
      .match(/\[[^\]]*\]|(?:\\.|[^[\\])+/gsu) ?? [];
  const isSuperblank = (index: number): boolean => parts[index]?.startsWith('[') ?? false;
  const text = parts.map((part, index) => {
    if (isSuperblank(index)) return part.slice(1, -1);
    // Superblanks are white space of the caller; a space beside one is the engine's.
    const words = isSuperblank(index - 1) ? part.replace(/^ +/, '') : part;
    return readWords(isSuperblank(index + 1) ? words.trimEnd() : words, unknownWords);
  });
  return { text: text.join('').trim(), unknownWords: [...unknownWords] };
}

/**
 * Undoes the capitals Apertium invents, line by line: a one-letter capital becomes a word of capitals ("A dog" → "UN
 * perro"), and a line that began small begins large ("see you" → "Te veo") or the reverse. English keeps its own first
 * capital, because "I" and "Monday" may well stand for a small word.
 */
export function restoreCase(translation: string, source: string, target: string): string {
  const sourceLines = source.split('\n');
  const lines = translation.split('\n');
  if (lines.length !== sourceLines.length) return translation;
  return lines.map((line, index) => restoreLineCase(line, sourceLines[index]!, target)).join('\n');
}

function readWords(part: string, unknownWords: Set<string>): string {
  const pattern = / {2,}|\\(.)|[*@#]([\p{L}\p{M}\p{N}'’-]*)|[\uFDD0-\uFDD2]/gsu;
  return part.replace(pattern, (match, escaped?: string, word?: string) => {
    if (match.startsWith(' ')) return ' ';
    if (word) unknownWords.add(word);
    return escaped ?? word ?? ORIGINALS.get(match)!;
  });
}

function restoreLineCase(line: string, source: string, target: string): string {
  const calm = /\p{Lu}{2}/u.test(source) ? line : lowerShouting(line);
  const first = /\p{L}/u.exec(source)?.[0];
  if (!first) return calm;
  const beginsLarge = first !== first.toLowerCase();
  if (!beginsLarge && target === 'en') return calm;
  return calm.replace(/\p{L}/u, (letter) => (beginsLarge ? letter.toUpperCase() : letter.toLowerCase()));
}

/** "EL agua" → "El agua", at the beginning of sentences only: elsewhere it may be a real acronym. */
function lowerShouting(line: string): string {
  let beginsSentence = true;
  return line.replace(/\p{L}+|[.!?]/gu, (token) => {
    const shouts = beginsSentence && /^\p{Lu}{2,}$/u.test(token);
    beginsSentence = /^[.!?]$/.test(token);
    return shouts ? token[0]! + token.slice(1).toLowerCase() : token;
  });
}
