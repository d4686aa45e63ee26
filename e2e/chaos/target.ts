/** Something that can be killed and comes back. */
export interface Target {
  readonly name: string;
  /** What the report counts it as. */
  readonly kind: 'gateway' | 'subgraph' | 'worker' | 'database';
  /** Kills it with SIGKILL and starts it again at once; resolves when it has ended, before it is ready. */
  kill(): Promise<void>;
  /** Resolves when what runs now can be used; rejects after two minutes. */
  ready(): Promise<void>;
}

/** The longest anything may take to be ready on a busy machine. */
export const READY_LIMIT_MS = 120_000;
