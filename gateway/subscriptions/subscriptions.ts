import { setTimeout as pause } from 'node:timers/promises';
import { GraphQLError } from 'graphql';
import type { Logger } from '../../platform/logger';
import type { PreparedOperation } from '../engine';
import type { Generation } from '../generation';
import { formatErrors } from '../http/format-error';
import type { Outlet } from '../operations/outlet';
import { prepareOperation, type Asker, type OperationPayload, type RunningOperation } from '../operations/operations';
import { SubscriptionCounts } from './counts';
import { createPlacements } from './placement';
import { Reader, type ReaderServices } from './reader';
import type { SubscriptionSettings } from './settings';
import { StallWatch } from './stall-watch';
import { foreignCursor, startPosition } from './start-position';
import type { StreamServices } from './stream';
import { OpenSubscriptions, type SubscriptionLimits } from './subscription-limits';

/** One client's wish to hear of events. */
export interface SubscribeRequest {
  /** As the client sent it: it is prepared again when the supergraph changes. The object stands for the subscription. */
  payload: OperationPayload;
  prepared: PreparedOperation;
  generation: Generation;
  asker: Asker;
}

/** Everybody's subscriptions. They outlive the supergraph they were opened on. */
export interface Subscriptions {
  readonly counts: SubscriptionCounts;
  /**
   * Sends the events of a subscription to the outlet. A list of errors refuses it, and the outlet has not been touched:
   * SUBSCRIPTION_LIMIT, BAD_USER_INPUT, SNAPSHOT_UNSUPPORTED.
   */
  open(request: SubscribeRequest, outlet: Outlet): RunningOperation | GraphQLError[];
  /**
   * Moves all subscriptions to another supergraph, a few at a time: those that ask for the same at the subgraph keep
   * their stream, others go on in a new one, those that are not valid any more end with SUBSCRIPTION_INVALID. Resolves
   * when nobody is left on another supergraph than the newest. Never rejects.
   */
  moveTo(generation: Generation): Promise<void>;
  /** Events that wait for clients who do not read fast enough. */
  readonly eventsWaiting: number;
  /** Closes all streams; their subscriptions are completed. */
  close(): void;
}

export interface SubscriptionsOptions {
  settings: SubscriptionSettings;
  limits: SubscriptionLimits;
  merge: StreamServices['merge'];
  logger: Logger;
}

/** Subscriptions that are moved to another supergraph in one go, and the pause after them. */
const MOVED_AT_ONCE = 100;
const MOVE_PAUSE_MS = 50;
/** After one that had to end. */
const LONGEST_PAUSE_MS = 10;

export function createSubscriptions(options: SubscriptionsOptions): Subscriptions {
  return new AllSubscriptions(options);
}

class AllSubscriptions implements Subscriptions {
  readonly counts = new SubscriptionCounts();
  /** What each reader stands for now. */
  private readonly requests = new Map<Reader, SubscribeRequest>();
  /** Who each reader was renewed for last, also while that is being decided. */
  private readonly renewals = new WeakMap<Reader, Asker>();
  private readonly limits: OpenSubscriptions;
  private readonly stalls: StallWatch;
  private readonly placements;
  private readonly readerServices: ReaderServices;
  private newest: Generation | undefined;
  private moving: Promise<void> | undefined;

  constructor(private readonly options: SubscriptionsOptions) {
    const { counts } = this;
    const { settings, limits, merge, logger } = options;
    this.limits = new OpenSubscriptions(limits, counts);
    this.stalls = new StallWatch(settings.stallMs, counts);
    this.placements = createPlacements({ settings, counts, logger, merge, lingering: new Set() });
    this.readerServices = {
      counts,
      waiting: (reader, isWaiting) => this.stalls.note(reader, isWaiting),
      over: (reader) => {
        this.limits.leave(this.requests.get(reader)!.asker);
        this.requests.delete(reader);
      },
    };
  }

  open(request: SubscribeRequest, outlet: Outlet): RunningOperation | GraphQLError[] {
    const { prepared, payload, asker } = request;
    const position = startPosition(payload, prepared.compiled.source!, prepared.variables);
    if (position instanceof GraphQLError) return [position];
    const place = this.placements.of(request);
    if (position.after !== undefined && !place.group.accepts(position.after)) return [foreignCursor()];
    const refusal = this.limits.enter(asker);
    if (refusal) return [refusal];
    if (position.after !== undefined) this.counts.resumed++;
    const reader = new Reader(place, outlet, this.readerServices);
    this.requests.set(reader, request);
    reader.start(position);
    return {
      isSubscription: true,
      leave: (how) => reader.leave(how),
      renew: (renewed) => this.renew(reader, renewed),
    };
  }

  moveTo(generation: Generation): Promise<void> {
    this.newest = generation;
    return (this.moving ??= this.moveAll().finally(() => (this.moving = undefined)));
  }

  get eventsWaiting(): number {
    return this.stalls.eventsWaiting;
  }

  close(): void {
    this.stalls.end();
    this.placements.close();
  }

  /** Supergraphs may follow each other quickly: whoever waits for one waits until all are on the newest. */
  private async moveAll(): Promise<void> {
    for (;;) {
      const to = this.newest!;
      const behind = [...this.requests.keys()].filter((reader) => reader.of.generation !== to);
      if (behind.length === 0) return;
      for (const [index, reader] of behind.entries()) {
        if (to !== this.newest) break;
        await this.moveOne(reader, to);
        if ((index + 1) % MOVED_AT_ONCE === 0) await pause(MOVE_PAUSE_MS);
      }
    }
  }

  private async moveOne(reader: Reader, generation: Generation): Promise<void> {
    try {
      const request = this.requests.get(reader);
      if (!request) return;
      const prepared = await prepareOperation(generation, request.payload, request.asker);
      // It was renewed meanwhile: this was prepared for the token before. It is still behind, and its turn comes again.
      if (this.requests.get(reader)?.asker !== request.asker) return;
      if (Array.isArray(prepared)) {
        this.endByReload(reader, prepared);
        // Whoever has to come back should not come with all the others.
        return void (await pause(Math.random() * LONGEST_PAUSE_MS));
      }
      this.change(reader, { prepared, generation });
      this.counts.moved++;
    } catch (error) {
      this.options.logger.error({ error }, 'a subscription could not be moved to another supergraph');
      this.endByReload(reader, []);
    }
  }

  /** A new token may say other scopes: what was prepared would then show too much, or too little. */
  private renew(reader: Reader, asker: Asker): void {
    const request = this.requests.get(reader);
    if (!request) return;
    this.renewals.set(reader, asker);
    const go = (fits: boolean): void => {
      // Policies take time: meanwhile there may be a newer token, or another supergraph with other rules.
      if (this.renewals.get(reader) !== asker) return;
      if (this.requests.get(reader)?.prepared !== request.prepared) return this.renew(reader, asker);
      if (fits) return this.change(reader, { asker });
      this.endInvalid(reader, 'What you may see has changed: subscribe again.');
    };
    const fits = request.generation.engine.fits(request.prepared, asker);
    if (fits instanceof Promise) void fits.then(go);
    else go(fits);
  }

  private change(reader: Reader, changes: Partial<SubscribeRequest>): void {
    const request = this.requests.get(reader);
    if (!request) return;
    const changed = { ...request, ...changes };
    this.requests.set(reader, changed);
    const place = this.placements.of(changed);
    if (place.variantKey !== reader.of.variantKey || place.groupKey !== reader.groupKey) reader.move(place);
  }

  private endByReload(reader: Reader, errors: readonly GraphQLError[]): void {
    this.counts.endedByReload++;
    const because = errors[0] ? ` ${errors[0].message}` : '';
    this.endInvalid(reader, `The schema has changed and this subscription is not valid any more.${because}`);
  }

  private endInvalid(reader: Reader, message: string): void {
    const error = new GraphQLError(message, { extensions: { code: 'SUBSCRIPTION_INVALID' } });
    reader.fail({ payload: JSON.stringify({ data: null, errors: formatErrors([error]) }), cursor: undefined });
  }
}
