/** What a count says after something was added to it. */
export interface Count {
  isOver: boolean;
  /** Until the window ends, in milliseconds. */
  retryAfterMs: number;
}

/** Counts of one limit, each in windows that begin with what is first counted. */
export interface Counter {
  /** Rejects when the store does not answer; then it may have been counted or not. */
  add(key: string, points: number): Promise<Count>;
}

/** Where counts are kept: in this process, or for all gateways together. */
export interface CounterStore extends AsyncDisposable {
  /** The counter of this name, the same one for the same name, limit and window. */
  counter(name: string, limit: number, windowS: number): Counter;
}
