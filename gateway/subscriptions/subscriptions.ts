import { setTimeout as pause } from 'node:timers/promises';
import { GraphQLError } from 'graphql';
import type { Logger } from '../../platform/logger';
import type { EventSource, StreamPosition } from '../compile/event-source';
import type { PreparedOperation } from '../engine';
import type { Generation } from '../generation';
import { formatErrors } from '../http/format-error';
import type { Outlet } from '../operations/outlet';
import { prepareOperation, type Asker, type OperationPayload, type RunningOperation } from '../operations/operations';
import type { GatewayLimits } from '../options';
import { SubscriptionCounts } from './counts';
import { createPlacements, type Placements } from './placement';
import { Reader, type ReaderServices } from './reader';
import type { SubscriptionSettings } from './settings';
import type { StreamServices } from './stream';

/** One client's wish to hear of events. */
export interface SubscribeRequest {
  /** As the client sent it: it is prepared again when the supergraph changes. */
  payload: OperationPayload;
  prepared: PreparedOperation;
  generation: Generation;
  asker: Asker;
}

/** Everybody's subscriptions. They outlive the supergraph they were opened on. */
export interface Subscriptions {
  readonly counts: SubscriptionCounts;
  /** Sends the events of a subscription to the outlet. A list of errors refuses it: then the outlet has not been touched. */
  open(request: SubscribeRequest, outlet: Outlet): RunningOperation | GraphQLError[];
  /**
   * Moves all subscriptions to another supergraph, a few at a time: those that ask for the same at the subgraph keep
   * their stream, others go on in a new one, those that are not valid any more end with SUBSCRIPTION_INVALID.
   */
  moveTo(generation: Generation): Promise<void>;
  /** Closes all streams; whoever still listens hears nothing more. */
  close(): void;
}

export interface SubscriptionsOptions {
  settings: SubscriptionSettings;
  limits: Pick<GatewayLimits, 'maxSubscriptions' | 'maxSubscriptionsPerUser'>;
  merge: StreamServices['merge'];
  logger: Logger;
}

/** A cursor is no longer than this, in characters. */
const MAX_CURSOR_LENGTH = 512;
/** How often clients that take nothing are looked for. */
const STALL_CHECK_MS = 1_000;
/** Subscriptions that are moved to another supergraph in one go, and the pause after them. */
const MOVED_AT_ONCE = 100;
const MOVE_PAUSE_MS = 50;

interface Open {
  payload: OperationPayload;
  asker: Asker;
  prepared: PreparedOperation;
}

export function createSubscriptions({ settings, limits, merge, logger }: SubscriptionsOptions): Subscriptions {
  const counts = new SubscriptionCounts();
  const placements = createPlacements({ settings, counts, logger, merge, lingering: new Set() });
  const open = new Map<Reader, Open>();
  const perUser = new Map<string, number>();
  const stalls = new StallWatch(settings.stallMs, counts);
  const count = (asker: Asker, by: 1 | -1): void => {
    counts.subscriptions += by;
    const userId = asker.identity.viewer?.userId;
    if (userId === undefined) return;
    const next = (perUser.get(userId) ?? 0) + by;
    if (next === 0) perUser.delete(userId);
    else perUser.set(userId, next);
  };
  const services: ReaderServices = {
    counts,
    waiting: (reader, isWaiting) => stalls.note(reader, isWaiting),
    over(reader) {
      count(open.get(reader)!.asker, -1);
      open.delete(reader);
    },
  };

  // Supergraphs may follow each other quickly: whoever waits for one waits until all are on the newest.
  let newest: Generation | undefined;
  let moving: Promise<void> | undefined;
  const moveAll = async (): Promise<void> => {
    let moved = 0;
    for (;;) {
      const to = newest!;
      const behind = [...open].filter(([reader]) => reader.of.generation !== to);
      if (behind.length === 0) return;
      for (const [reader, known] of behind) {
        if (to !== newest) break;
        await moveToGeneration(reader, known, to, { open, placements, counts });
        if (++moved % MOVED_AT_ONCE === 0) await pause(MOVE_PAUSE_MS);
      }
    }
  };
  const moveTo = (generation: Generation): Promise<void> => {
    newest = generation;
    return (moving ??= moveAll().finally(() => (moving = undefined)));
  };

  return {
    counts,
    open({ payload, prepared, generation, asker }, outlet) {
      const source = prepared.compiled.source!;
      const refusal = tooMany(asker, counts, perUser, limits);
      const position = refusal ?? positionOf(payload, source, prepared.variables);
      if (position instanceof GraphQLError) {
        if (refusal) counts.refused++;
        return [position];
      }
      const place = placements.of({ prepared, generation, asker });
      if (position.after !== undefined && !place.group.accepts(position.after)) return [foreignCursor()];
      if (position.after !== undefined) counts.resumed++;
      const reader = new Reader(place, outlet, services);
      open.set(reader, { payload, asker, prepared });
      count(asker, 1);
      reader.start(position);
      // It was prepared while the supergraph changed.
      if (newest && newest !== generation) void moveTo(newest);
      return {
        isSubscription: true,
        leave: (how) => reader.leave(how),
        renew(renewed) {
          const known = open.get(reader);
          if (!known) return;
          known.asker = renewed;
          moveReader(reader, known, reader.of.generation, placements);
        },
      };
    },
    moveTo,
    close() {
      stalls.end();
      placements.close();
    },
  };
}

function moveReader(reader: Reader, { prepared, asker }: Open, generation: Generation, placements: Placements): void {
  const place = placements.of({ prepared, generation, asker });
  if (place.variantKey === reader.of.variantKey && place.groupKey === reader.groupKey) return;
  reader.move(place);
}

async function moveToGeneration(
  reader: Reader,
  known: Open,
  generation: Generation,
  { open, placements, counts }: { open: Map<Reader, Open>; placements: Placements; counts: SubscriptionCounts },
): Promise<void> {
  if (!open.has(reader) || reader.of.generation === generation) return;
  const prepared = await prepareOperation(generation, known.payload, known.asker.identity.requestId);
  if (!open.has(reader)) return;
  if (Array.isArray(prepared) || !prepared.compiled.source) {
    counts.endedByReload++;
    return reader.fail({
      payload: JSON.stringify(invalid(Array.isArray(prepared) ? prepared : [])),
      cursor: undefined,
    });
  }
  counts.moved++;
  known.prepared = prepared;
  moveReader(reader, known, generation, placements);
}

function invalid(errors: readonly GraphQLError[]): object {
  const because = errors[0] ? ` ${errors[0].message}` : '';
  const error = new GraphQLError(`The schema has changed and this subscription is not valid any more.${because}`, {
    extensions: { code: 'SUBSCRIPTION_INVALID' },
  });
  return { data: null, errors: formatErrors([error]) };
}

function tooMany(
  { identity: { viewer } }: Asker,
  { subscriptions }: SubscriptionCounts,
  perUser: ReadonlyMap<string, number>,
  { maxSubscriptions, maxSubscriptionsPerUser }: SubscriptionsOptions['limits'],
): GraphQLError | undefined {
  const code = 'SUBSCRIPTION_LIMIT';
  if (subscriptions >= maxSubscriptions)
    return new GraphQLError('Too many subscriptions are open here. Try again later.', { extensions: { code } });
  if (viewer && (perUser.get(viewer.userId) ?? 0) >= maxSubscriptionsPerUser) {
    return new GraphQLError(
      `You may have at most ${maxSubscriptionsPerUser} subscriptions open. Complete others first.`,
      {
        extensions: { code },
      },
    );
  }
  return undefined;
}

/** Where the client wants to start: what it says beside the operation counts more than the arguments of the field. */
function positionOf(
  { extensions }: OperationPayload,
  source: EventSource,
  variables: Record<string, unknown>,
): StreamPosition | GraphQLError {
  const { cursor, snapshot } = extensions ?? {};
  const { field } = source;
  const refuse = (message: string, code = 'BAD_USER_INPUT'): GraphQLError =>
    new GraphQLError(message, { extensions: { code } });
  if (cursor !== undefined && cursor !== null && typeof cursor !== 'string')
    return refuse('"extensions.cursor" must be a string.');
  if (typeof cursor === 'string' && (cursor === '' || cursor.length > MAX_CURSOR_LENGTH)) return foreignCursor();
  if (snapshot !== undefined && snapshot !== null && typeof snapshot !== 'boolean')
    return refuse('"extensions.snapshot" must be a Boolean.');
  const canBegin = field.start === 'snapshot' || field.askSnapshot !== undefined;
  if (snapshot === true && !canBegin)
    return refuse('This subscription cannot begin with the present state.', 'SNAPSHOT_UNSUPPORTED');
  const given = source.givenStart(variables);
  const after = cursor ?? given.after;
  const asked = after === undefined && field.askSnapshot !== undefined && (snapshot === true || given.snapshot);
  return { after, snapshot: asked };
}

function foreignCursor(): GraphQLError {
  return new GraphQLError('The cursor is not one of this subscription.', { extensions: { code: 'BAD_USER_INPUT' } });
}

/** Disconnects clients that have taken nothing for too long. */
class StallWatch {
  private readonly waiting = new Set<Reader>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly stallMs: number,
    private readonly counts: SubscriptionCounts,
  ) {}

  note(reader: Reader, isWaiting: boolean): void {
    if (isWaiting) {
      reader.waitingSince = performance.now();
      this.waiting.add(reader);
      this.timer ??= setInterval(() => this.check(), Math.min(STALL_CHECK_MS, this.stallMs)).unref();
    } else if (this.waiting.delete(reader) && this.waiting.size === 0) this.end();
    this.counts.waiting = this.waiting.size;
  }

  end(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private check(): void {
    const limit = performance.now() - this.stallMs;
    for (const reader of [...this.waiting]) if (reader.waitingSince < limit) reader.disconnect();
  }
}
