import type { WriteStream } from 'node:tty';
import { clock } from './screen';

/** What of a segment is shown. */
export interface Caption {
  id: string;
  state: string;
  startMs: number;
  endMs: number;
  text: string;
  /** How many of its first words stay as they are. */
  stableWords: number;
  translation?: { text: string } | null | undefined;
}

/** As wide as `00:00.0 – 00:00.0  ` and the margin before it. */
const INDENT = ' '.repeat(21);

/**
 * Shows captions as they are said. On a terminal the last lines are those that still change, redrawn in place, words that may
 * change dimmed; what is final is printed once above them. Elsewhere finals are printed, and guesses only if they are asked for.
 */
export class CaptionScreen {
  private readonly current = new Map<string, Caption>();
  private readonly done = new Set<string>();
  private drawnLines = 0;
  /** What was printed for good last. */
  private lastLine = '';

  constructor(
    private readonly out: NodeJS.WriteStream | WriteStream,
    /** Language of the translation, before its text. */
    private readonly to: string,
    private readonly printsPartials = false,
  ) {}

  /** Prints a line, unless it is the one above it: what goes on is said once. */
  line(text: string): void {
    if (text !== this.lastLine) this.draw([text]);
  }

  show(caption: Caption): void {
    if (this.done.has(caption.id)) return;
    if (caption.state === 'PARTIAL') {
      this.current.set(caption.id, caption);
      return this.draw(this.out.isTTY || !this.printsPartials ? [] : [`${INDENT}… ${caption.text}`]);
    }
    this.done.add(caption.id);
    this.current.delete(caption.id);
    this.draw(caption.text ? finalLines(caption, this.to) : []);
  }

  /** Prints lines for good, then what still changes below them. */
  private draw(lines: readonly string[]): void {
    this.lastLine = lines.at(-1) ?? this.lastLine;
    if (!this.out.isTTY) return void lines.forEach((line) => this.out.write(`${line}\n`));
    const changing = [...this.current.values()].flatMap((caption) => this.changingLines(caption));
    const erased = this.drawnLines > 0 ? `\u001b[${this.drawnLines}F\u001b[0J` : '';
    this.out.write(erased + [...lines, ...changing].map((line) => `${line}\n`).join(''));
    this.drawnLines = changing.length;
  }

  /** One row each, since rows that wrap could not be found again: the last words that fit. */
  private changingLines({ startMs, text, stableWords, translation }: Caption): string[] {
    const room = Math.max(10, (this.out.columns || 80) - INDENT.length - 1);
    const words = text.split(' ');
    const shown = lastThatFit(words, room);
    const stable = Math.max(0, stableWords - (words.length - shown.length));
    const said = [shown.slice(0, stable).join(' '), dimmed(shown.slice(stable).join(' '))].filter(Boolean).join(' ');
    const translated = lastThatFit((translation?.text ?? '').split(' '), room - this.to.length - 2).join(' ');
    return [`  ${clock(startMs)} …`.padEnd(INDENT.length) + said, `${INDENT}${this.to}: ${dimmed(translated)}`];
  }
}

function finalLines({ startMs, endMs, text, translation }: Caption, to: string): string[] {
  return [
    `  ${clock(startMs)} – ${clock(endMs)}  ${text}`,
    `${INDENT}${to}: ${translation?.text ?? '(no translation)'}`,
  ];
}

function lastThatFit(words: readonly string[], room: number): string[] {
  const shown: string[] = [];
  for (let index = words.length - 1, left = room; index >= 0; index--) {
    left -= columnsOf(words[index]!) + 1;
    if (left < 0) break;
    shown.unshift(words[index]!);
  }
  return shown;
}

/** Signs of Chinese, Japanese and Korean take two columns. */
function columnsOf(word: string): number {
  return [...word].reduce(
    (sum, sign) => sum + (/[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uff00-\uff60]/.test(sign) ? 2 : 1),
    0,
  );
}

function dimmed(text: string): string {
  return text && `\u001b[2m${text}\u001b[22m`;
}
