import { setImmediate as nextTurn } from 'node:timers/promises';
import { abortSignalOf, Cancellation } from '../../platform/cancellation';
import type { Logger } from '../../platform/logger';
import { pause } from '../../platform/pause';
import type { EventSource } from '../compile/event-source';
import type { StreamPosition } from '../compile/start-arguments';
import { isDataObject, type DataObject } from '../execute/data';
import { sourceCall } from '../execute/fetch-step';
import { SubgraphError, type SubgraphAnswer, type Transport } from '../fetch/transport';
import type { Asker, Leaving } from '../operations/operations';
import type { SubscriptionCounts } from './counts';
import { gatewayCursors, type GatewayCursors } from './gateway-cursor';
import type { Reader } from './reader';
import { ReplayWindow } from './replay-window';
import { Retry } from './retry';
import type { SubscriptionSettings } from './settings';
import { Variant, type VariantOf } from './variant';

/** Events of a stream that are answered at once. More of them wait at the subgraph. */
const MAX_IN_FLIGHT = 8;
/** Events taken before everything else in the process has its turn. */
const TAKEN_IN_A_TURN = 64;
/** Codes of refusals that say nothing about the subscription: the same may be taken a moment later. */
const PASSING_CODES = new Set(['DATABASE_UNAVAILABLE', 'SUBGRAPH_UNAVAILABLE', 'SUBGRAPH_TIMEOUT', 'OVERLOADED']);

/** The subgraph did not take the stream, but may do so in a moment. */
class RefusedForNow extends SubgraphError {
  constructor(code: string) {
    super('SUBGRAPH_UNAVAILABLE', `the subgraph refused the stream for now: ${code}`);
  }
}

/** What a stream is of. */
export interface StreamOrigin {
  source: EventSource;
  transport: Transport;
  /** Of the client; those that its source uses are the same for all its subscribers. */
  variables: DataObject;
  /** In whose name it is opened. */
  asker: Asker;
  /** What is subscribed to: cursors that the gateway makes are of this. */
  subject: string;
}

export interface StreamServices {
  settings: SubscriptionSettings;
  counts: SubscriptionCounts;
  logger: Logger;
  /** Transports for fetches that are to leave together. */
  merge: (transports: ReadonlyMap<string, Transport>) => ReadonlyMap<string, Transport>;
  /** Streams without subscribers that are kept for a while, the first one longest. */
  lingering: Set<Stream>;
}

export type StreamPhase = 'open' | 'ended' | 'merged' | 'closed';

/**
 * One subscription at a subgraph with all its subscribers. It takes an event when some subscriber has room for it, keeps
 * the newest ones, and when it breaks it is opened again behind the last event where the subgraph offers cursors.
 */
export class Stream {
  readonly window: ReplayWindow;
  /** Of its events, where its subgraph offers none. */
  readonly cursors: GatewayCursors;
  phase: StreamPhase = 'open';
  /** Why it ended; undefined when the subgraph completed it. */
  failure: unknown;
  private readonly variants = new Map<string, Variant>();
  private readonly cancellation = new Cancellation();
  private readers = 0;
  /** When a subscriber was last lost. */
  private lostAt = -Infinity;
  private isGone = false;
  private lastCursor: string | undefined;
  private lingering: NodeJS.Timeout | undefined;
  private wake: (() => void) | undefined;

  constructor(
    readonly origin: StreamOrigin,
    /** Where it starts, seen from its subgraph. */
    readonly start: StreamPosition,
    private readonly services: StreamServices,
    /** Told of every event it has taken, and when it is over and nobody is left. */
    private readonly listener: { taken(stream: Stream): void; gone(stream: Stream): void },
  ) {
    const { delivery } = origin.source.field;
    this.window = new ReplayWindow(services.settings, delivery === 'latest');
    this.cursors = gatewayCursors(origin.subject);
    services.counts.upstreams++;
    void this.run();
  }

  /** Whether events come as they happen: one that nobody has room for, or that keeps itself open for nobody, may be behind. */
  get isCurrent(): boolean {
    return this.window.end === 0 || this.isWanted;
  }

  /** Whether somebody has room for another event, or may come back for it. */
  private get isWanted(): boolean {
    return this.lingering !== undefined || [...this.variants.values()].some(({ live }) => live.size > 0);
  }

  /** Whether it has told nothing but the present state so far. */
  get hasOnlySnapshot(): boolean {
    return !this.window.has((event) => !event.isSnapshot);
  }

  /** The variant of a subscriber who joins. */
  join(of: VariantOf): Variant {
    this.stopLingering();
    this.readers++;
    const known = this.variants.get(of.variantKey);
    const variant = known ?? new Variant(of, this.services.logger, this.window, () => this.proceed());
    variant.readers++;
    if (!known) this.variants.set(of.variantKey, variant);
    return variant;
  }

  /** A subscriber is behind nothing any more and has room: events may come. */
  settle(variant: Variant, reader: Reader): void {
    variant.live.add(reader);
    this.proceed();
  }

  leave(variant: Variant, reader: Reader, how: Leaving): void {
    variant.live.delete(reader);
    if (--variant.readers === 0) {
      variant.end();
      this.window.forget(variant);
      this.variants.delete(variant.of.variantKey);
    }
    if (how === 'lost') this.lostAt = performance.now();
    if (--this.readers > 0) return;
    const leftMs = this.lostAt + this.services.settings.lingerMs - performance.now();
    if (leftMs > 0 && this.canBeMissed()) this.linger(leftMs);
    else this.close();
  }

  /** Its subscribers go on with another stream, which has all it has told: they leave as they reach its end. */
  mergeAway(): void {
    this.finish('merged');
  }

  close(): void {
    if (this.isGone) return;
    this.isGone = true;
    this.stopLingering();
    this.finish('closed');
    this.listener.gone(this);
  }

  /** Whether somebody may come back with a cursor that only this stream understands. */
  private canBeMissed(): boolean {
    const { cursor, scope } = this.origin.source.field;
    return this.phase === 'open' && cursor === undefined && scope !== 'subscriber' && this.window.end > 0;
  }

  /** For those who come back in time; where too many wait so, the one that has waited longest is given up. */
  private linger(ms: number): void {
    const { settings, lingering } = this.services;
    this.lingering = setTimeout(() => this.close(), ms);
    this.lingering.unref();
    lingering.add(this);
    if (lingering.size > settings.maxLingering) lingering.values().next().value?.close();
    this.proceed();
  }

  private stopLingering(): void {
    clearTimeout(this.lingering);
    this.lingering = undefined;
    this.services.lingering.delete(this);
  }

  private finish(phase: Exclude<StreamPhase, 'open'>, failure?: unknown): void {
    if (this.phase !== 'open') return;
    this.phase = phase;
    this.failure = failure;
    this.services.counts.upstreams--;
    this.cancellation.abort(new Error('The stream is not needed any more.'));
    this.proceed();
    if (this.readers === 0) this.close();
  }

  private async run(): Promise<void> {
    const retry = new Retry(this.services.settings);
    while (this.phase === 'open') {
      const startedAt = performance.now();
      try {
        await this.readSource(retry);
        return this.finish('ended');
      } catch (error) {
        if (this.phase !== 'open') return;
        const pauseMs = retry.pauseMs(startedAt, wasTaken(error));
        if (pauseMs === undefined || !this.canContinue) return this.finish('ended', error);
        const { logger, counts } = this.services;
        logger.debug({ error, subgraph: this.origin.source.subgraph }, 'a stream broke and is opened again');
        counts.reopened++;
        await pause(pauseMs, abortSignalOf(this.cancellation));
      }
    }
  }

  /** Whether opening it again leaves nothing out. */
  private get canContinue(): boolean {
    const { cursor, start } = this.origin.source.field;
    return cursor !== undefined && (start !== 'now' || (this.lastCursor ?? this.start.after) !== undefined);
  }

  /** One attempt, from the last event on. Resolves when the subgraph completes it. */
  private async readSource(retry: Retry): Promise<void> {
    const { source, transport, variables, asker } = this.origin;
    const position = this.lastCursor === undefined ? this.start : { after: this.lastCursor, snapshot: false };
    const caller = { ...asker, signal: this.cancellation };
    const start = source.startVariables(position);
    const call = sourceCall(source.operation, source.variables, variables, start, caller);
    const events = transport.subscribe(call);
    try {
      for (;;) {
        const event = await events.next();
        if (event.done || this.phase !== 'open') return;
        this.take(event.value);
        retry.succeeded();
        await this.wanted();
      }
    } finally {
      // Not awaited: a generator that waits for its next event only returns once it has seen the signal.
      events.return().catch((error: unknown) => this.services.logger.warn({ error }, 'closing a stream failed'));
    }
  }

  private take(answer: SubgraphAnswer): void {
    const { source } = this.origin;
    const isRefusal = answer.errors !== undefined && !isDataObject(answer.data);
    if (isRefusal) this.throwPassing(answer);
    const index = this.window.end;
    const marks = source.marksOf(answer.data);
    const ownCursor = source.field.cursor === undefined ? this.cursors.encode(index) : marks.cursor;
    const event = {
      ...marks,
      // What a subgraph answers instead of the first event is no event.
      cursor: isRefusal && index === 0 ? undefined : ownCursor,
      index,
      answer,
      size: JSON.stringify(answer).length,
      frames: new Map(),
      madeSize: 0,
    };
    if (event.cursor !== undefined) this.lastCursor = event.cursor;
    this.window.push(event);
    this.services.counts.events++;
    if (marks.gap) this.services.counts.gaps++;
    const live = [...this.variants.values()].filter((variant) => variant.live.size > 0);
    const merged = new Map<string, ReadonlyMap<string, Transport>>();
    for (const variant of live) variant.begin(event, live.length > 1 ? this.mergedFor(variant, merged) : undefined);
    this.listener.taken(this);
  }

  /** A refusal that may be over in a moment breaks the attempt, as long as it can be made again. */
  private throwPassing({ errors }: SubgraphAnswer): void {
    const code = errors?.[0]?.extensions?.['code'];
    if (!this.canContinue || typeof code !== 'string' || !PASSING_CODES.has(code)) return;
    throw new RefusedForNow(code);
  }

  private mergedFor(
    { of }: Variant,
    made: Map<string, ReadonlyMap<string, Transport>>,
  ): ReadonlyMap<string, Transport> {
    const merged = made.get(of.mergeKey) ?? this.services.merge(of.generation.transports);
    made.set(of.mergeKey, merged);
    return merged;
  }

  /** Resolves when another event may come. */
  private async wanted(): Promise<void> {
    // A source in this process may never leave the turn it is in.
    if (this.window.end % TAKEN_IN_A_TURN === 0) await nextTurn();
    while (this.phase === 'open' && !this.wantsMore()) await new Promise<void>((resolve) => (this.wake = resolve));
  }

  private wantsMore(): boolean {
    return this.isWanted && ![...this.variants.values()].some(({ inFlight }) => inFlight >= MAX_IN_FLIGHT);
  }

  private proceed(): void {
    if (this.phase !== 'open') {
      for (const variant of this.variants.values())
        if (variant.inFlight === 0) for (const reader of [...variant.live]) reader.reachEnd();
    }
    const { wake } = this;
    this.wake = undefined;
    wake?.();
  }
}

/** Whether an attempt that broke so may have been open before. */
function wasTaken(error: unknown): boolean {
  return !(error instanceof RefusedForNow) && !(error instanceof SubgraphError && error.code === 'SUBGRAPH_TIMEOUT');
}
