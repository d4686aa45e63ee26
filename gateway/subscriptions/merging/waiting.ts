import { Cancellation, type CancelSignal } from '../../../platform/cancellation';
import type { SubgraphAnswer, SubgraphCall } from '../../fetch/transport';

/** One who waits for the answer to a call; also the listener of the call's signal, whose reason it gets at once. */
export class Waiting {
  isGone = false;
  /** Told when the asker goes before it has an answer. */
  onLeave: ((reason: unknown) => void) | undefined;

  constructor(
    readonly call: SubgraphCall,
    private readonly resolve: (answer: SubgraphAnswer) => void,
    private readonly reject: (reason: unknown) => void,
  ) {
    if (call.signal.aborted) this.handleEvent();
    else call.signal.addEventListener('abort', this);
  }

  answer(answer: SubgraphAnswer): void {
    this.end();
    this.resolve(answer);
  }

  fail(reason: unknown): void {
    this.end();
    this.reject(reason);
  }

  handleEvent(): void {
    const { reason } = this.call.signal;
    this.fail(reason);
    this.onLeave?.(reason);
  }

  private end(): void {
    this.isGone = true;
    this.call.signal.removeEventListener('abort', this);
  }
}

/** Aborts when the last of the askers has gone. */
export function jointSignal(askers: readonly Waiting[]): CancelSignal {
  const joint = new Cancellation();
  let left = askers.length;
  for (const asker of askers) {
    asker.onLeave = (reason) => {
      if (--left === 0) joint.abort(reason);
    };
  }
  return joint;
}
