/** A vocabulary that no attempt can use; the message says in which line what must be otherwise. */
export class InvalidVocabularyError extends Error {
  readonly code = 'INVALID_VOCABULARY';
  readonly retryable = false;
  constructor(
    /** From 1. */
    readonly line: number,
    readonly reason: string,
  ) {
    super(`Line ${line} of the grammar: ${reason}`);
    this.name = 'InvalidVocabularyError';
  }
}

/** A piece of a grammar's text: a sign like `|`, the name in `<name>`, the number in `/2.5/`, or what may be spoken. */
export interface GrammarToken {
  type: 'sign' | 'rule' | 'weight' | 'words' | 'end';
  text: string;
  line: number;
}

const HEADER = /^\uFEFF?\s*#JSGF\s+V1\.0(\s+[\w.-]+){0,2}\s*;/i;
const PIECES = [
  ['', /(?:\s|\/\/[^\n]*|\/\*[^]*?\*\/)+/y],
  ['weight', /\/\s*(\d+(?:\.\d+)?)\s*\//y],
  ['rule', /<\s*([\p{L}_][\p{L}\p{N}_.-]*)\s*>/uy],
  ['words', /"([^"\n]*)"/y],
  ['sign', /([=;|()[\]*+])/y],
  ['words', /([^\s=;|()[\]*+<>{}"/#][^\s=;|()[\]*+<>{}"/]*)/y],
] as const;

/** Cuts a grammar into pieces, without its header and comments. Throws InvalidVocabularyError at what none begins with. */
export function readTokens(text: string): GrammarToken[] {
  const tokens: GrammarToken[] = [];
  let at = HEADER.exec(text)?.[0].length ?? 0;
  let line = 1 + newLines(text.slice(0, at));
  while (at < text.length) {
    const [type, match] = pieceAt(text, at) ?? [];
    if (!match) throw new InvalidVocabularyError(line, strange(text.slice(at)));
    if (type) tokens.push({ type, text: match[1]!, line });
    line += newLines(match[0]);
    at += match[0].length;
  }
  return [...tokens, { type: 'end', text: '', line }];
}

function newLines(text: string): number {
  return text.split('\n').length - 1;
}

function pieceAt(text: string, at: number): [type: GrammarToken['type'] | '', match: RegExpExecArray] | null {
  for (const [type, pattern] of PIECES) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match) return [type, match];
  }
  return null;
}

function strange(rest: string): string {
  if (rest.startsWith('#')) return 'the header must be "#JSGF V1.0;".';
  if (rest.startsWith('{')) return 'tags in braces are not supported.';
  if (rest.startsWith('/*')) return 'a comment is not closed.';
  if (rest.startsWith('/')) return 'a weight must be a number between two slashes, e.g. "/2.5/".';
  if (rest.startsWith('"')) return 'a quotation is not closed.';
  if (rest.startsWith('<')) return 'the name of a rule must begin with a letter and stand between "<" and ">".';
  return `"${rest[0]}" stands where it cannot.`;
}
