import type { WriteStream } from 'node:tty';

const BAR_WIDTH = 30;

/** Prints lines above one line of progress that is drawn anew on a terminal, and in steps of a tenth elsewhere. */
export class Screen {
  private progressLine = '';
  private lastTenth = -1;

  constructor(private readonly out: NodeJS.WriteStream | WriteStream) {}

  line(text = ''): void {
    if (this.out.isTTY && this.progressLine) this.out.write(`\r\u001b[2K${text}\n${this.progressLine}`);
    else this.out.write(`${text}\n`);
  }

  /** `fraction` is 0 to 1. */
  progress(fraction: number, label: string): void {
    const filled = Math.round(fraction * BAR_WIDTH);
    const text = `  [${'█'.repeat(filled)}${'·'.repeat(BAR_WIDTH - filled)}] ${String(Math.floor(fraction * 100)).padStart(3)} %  ${label}`;
    if (this.out.isTTY) {
      this.progressLine = text;
      this.out.write(`\r\u001b[2K${text}`);
      return;
    }
    const tenth = Math.floor(fraction * 10);
    if (tenth === this.lastTenth) return;
    this.lastTenth = tenth;
    this.out.write(`${text}\n`);
  }

  endProgress(): void {
    if (this.out.isTTY && this.progressLine) this.out.write('\n');
    this.progressLine = '';
  }
}

/** `75250` → `01:15.2`. */
export function clock(ms: number): string {
  const seconds = ms / 1_000;
  return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${(seconds % 60).toFixed(1).padStart(4, '0')}`;
}
