import type { CancelSignal } from '../../../platform/cancellation';
import type { SubgraphAnswer, SubgraphError } from '../transport';

/** What may wait for a consumer before its source is held back: events, and bytes as they came. */
const MAX_WAITING = 256;
const MAX_WAITING_BYTES = 1024 * 1024;

/** Holds a source back that sends faster than its events are taken, and lets it go on. */
export interface Flow {
  hold(): void;
  release(): void;
}

/**
 * The events of one subscription between a source that pushes and a consumer that pulls. A full queue holds its source
 * back until half of it has been taken; what the source still pushes meanwhile is kept, too.
 */
export class AnswerQueue {
  private readonly waiting: { answer: SubgraphAnswer; sizeBytes: number }[] = [];
  private waitingBytes = 0;
  private isHolding = false;
  private hasEnded = false;
  private failure: SubgraphError | undefined;
  private wake = (): void => {};

  constructor(private readonly flow: Flow) {}

  /** How often its bound the queue is full, in events or bytes: below 1 there is room. */
  get fullness(): number {
    return Math.max(this.waiting.length / MAX_WAITING, this.waitingBytes / MAX_WAITING_BYTES);
  }

  /** Takes an event in any case, until the end. */
  push(answer: SubgraphAnswer, sizeBytes: number): void {
    if (this.hasEnded) return;
    this.waiting.push({ answer, sizeBytes });
    this.waitingBytes += sizeBytes;
    if (!this.isHolding && this.fullness >= 1) {
      this.isHolding = true;
      this.flow.hold();
    }
    this.wake();
  }

  /** Nothing follows what has been pushed, but the error if there is one. Only the first end counts. */
  end(failure?: SubgraphError): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.failure = failure;
    this.wake();
  }

  /** All events until the end; throws what it ended with. Returns as soon as the signal aborts. */
  async *read(signal: CancelSignal): AsyncGenerator<SubgraphAnswer, void, void> {
    const wake = (): void => this.wake();
    signal.addEventListener('abort', wake);
    try {
      while (!signal.aborted) {
        const next = this.waiting.shift();
        if (next) {
          this.waitingBytes -= next.sizeBytes;
          this.releaseIfHalfEmpty();
          yield next.answer;
        } else if (this.failure) throw this.failure;
        else if (this.hasEnded) return;
        else await new Promise<void>((resolve) => (this.wake = resolve));
      }
    } finally {
      signal.removeEventListener('abort', wake);
    }
  }

  private releaseIfHalfEmpty(): void {
    if (!this.isHolding || this.fullness >= 0.5) return;
    this.isHolding = false;
    this.flow.release();
  }
}
