import { SautiError } from '../../platform/errors';
import type { JwkSet } from '../../platform/identity/access-token';

/** How long a fetched key set is used as it is; after that it is fetched again in the background. */
const FRESH_MS = 60_000;
/** How long it is used at most before somebody waits for another one. */
const KEEP_MS = 10 * 60_000;
/** Shortest time between two fetches that an unknown key id causes: anybody can make up key ids. */
const REFETCH_MS = 30_000;

export interface KeySetOptions {
  fetchKeys: () => Promise<JwkSet>;
  /** Called when other keys are there than before. */
  onChange: () => void;
  clock: () => Date;
}

/**
 * The published keys, kept. A key id that is not among them causes another fetch, at most one every 30 s. A fetch that fails
 * leaves the old keys in use.
 */
export class KeySet {
  private keys: JwkSet | undefined;
  private fetchedAtMs = -Infinity;
  private pending: Promise<void> | undefined;

  constructor(private readonly options: KeySetOptions) {}

  /** The keys, if they are there and young enough; then nothing needs to be awaited. */
  get ready(): JwkSet | undefined {
    const ageMs = this.ageMs();
    if (ageMs > KEEP_MS) return undefined;
    if (ageMs > FRESH_MS) void this.refresh();
    return this.keys;
  }

  /** The keys, with that of this id if there is one. SUBGRAPH_UNAVAILABLE when none have ever been fetched. */
  async for(kid: string | null): Promise<JwkSet> {
    const isKnown = kid !== null && this.keys?.keys.some((key) => key.kid === kid);
    const ageMs = this.ageMs();
    if (!this.keys || ageMs > KEEP_MS || (kid !== null && !isKnown && ageMs > REFETCH_MS)) await this.refresh();
    else if (!isKnown && this.pending) await this.pending;
    else if (ageMs > FRESH_MS) void this.refresh();
    if (this.keys) return this.keys;
    throw new SautiError(
      'SUBGRAPH_UNAVAILABLE',
      'Access tokens cannot be checked at the moment. Try again in a few seconds.',
    );
  }

  /** Whether the clock has gone on or back since the fetch. */
  private ageMs(): number {
    return Math.abs(this.options.clock().getTime() - this.fetchedAtMs);
  }

  private refresh(): Promise<void> {
    this.fetchedAtMs = this.options.clock().getTime();
    this.pending ??= this.options
      .fetchKeys()
      .then(
        (fetched) => this.take(fetched),
        () => {},
      )
      .finally(() => (this.pending = undefined));
    return this.pending;
  }

  private take(fetched: JwkSet): void {
    // The same keys in the same objects: what was made of them need not be made again.
    if (JSON.stringify(fetched) === JSON.stringify(this.keys)) return;
    this.keys = fetched;
    this.options.onChange();
  }
}
