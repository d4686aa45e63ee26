import type { StreamPosition } from '../compile/start-arguments';
import type { Frame, Outlet } from '../operations/outlet';
import type { Leaving } from '../operations/operations';
import type { SubscriptionCounts } from './counts';
import type { Stream } from './stream';
import { extensionsText, type StreamEvent } from './stream-event';
import type { Gap, StreamGroup } from './stream-group';
import type { Variant, VariantOf } from './variant';

/** Answers that are made at once for one who is behind. */
const AHEAD = 8;

/** What a subscriber gets its answers from. */
export interface Placement extends VariantOf {
  group: StreamGroup;
  /** Tells the group from others: what is asked of the subgraph, and in whose name. */
  groupKey: string;
}

export interface ReaderServices {
  counts: SubscriptionCounts;
  /** Told when the reader begins and ends to wait for room. */
  waiting(reader: Reader, isWaiting: boolean): void;
  /** Told once, when the subscription is over. */
  over(reader: Reader): void;
}

/**
 * One client's subscription: a place in a stream. Whoever has everything so far is handed each answer as it is made;
 * whoever is behind reads the stream's window at the pace its client has room, and if it is overtaken there, reads on
 * from its cursor in a stream of its own. So nothing is queued for one client but what its connection has taken.
 */
export class Reader {
  private stream!: Stream;
  private variant!: Variant;
  /** Index of the next event. */
  private index = 0;
  /** Of the last event it was given, or where it started. */
  private position: StreamPosition = { after: undefined, snapshot: false };
  private gap: Gap | undefined;
  private hasJoined = false;
  private isSlow = false;
  private isOver = false;
  /** Ends a walk through the window when another begins. */
  private walks = 0;

  constructor(
    private place: Placement,
    private readonly outlet: Outlet,
    private readonly services: ReaderServices,
  ) {}

  get groupKey(): string {
    return this.place.groupKey;
  }

  /** How many events of its stream it has not had yet. */
  get behind(): number {
    return this.stream.window.end - this.index;
  }

  /** Grows when its client takes what waits for it. */
  get progress(): number {
    return this.outlet.progress;
  }

  get of(): VariantOf {
    return this.place;
  }

  /** Joins where a position is, and begins. */
  start(position: StreamPosition): void {
    this.join(position);
    void this.walk();
  }

  /** Goes on with other answers from where it is: in its stream, or in another one behind its cursor. */
  move(place: Placement): void {
    if (this.isOver) return;
    const isSameStream = place.group === this.place.group && this.stream.phase === 'open';
    this.place = place;
    if (!isSameStream) return this.rejoin();
    const { stream, variant } = this;
    this.variant = stream.join(place);
    stream.leave(variant, this, 'done');
    void this.walk();
  }

  /** Takes the place in a stream that a position stands for. */
  private join(position: StreamPosition): void {
    const isLate = this.hasJoined;
    this.hasJoined = true;
    const { stream, index, gap } = this.place.group.join(position);
    this.stream = stream;
    this.index = index;
    this.variant = stream.join(this.place);
    // Who only wants what happens from now on and has no cursor yet cannot know what it missed while it changed places.
    this.gap =
      gap ?? this.gap ?? (isLate && this.hasNoStart(position) ? { reason: 'RESTARTED', missed: null } : undefined);
    const after = position.after ?? this.place.group.cursorBefore(stream, index);
    this.position = after === undefined ? position : { after, snapshot: false };
  }

  private hasNoStart({ after, snapshot }: StreamPosition): boolean {
    return after === undefined && !snapshot && this.place.prepared.compiled.source?.field.start === 'now';
  }

  leave(how: Leaving): void {
    if (this.isOver) return;
    this.isOver = true;
    this.services.waiting(this, false);
    this.stream.leave(this.variant, this, how);
    this.services.over(this);
  }

  /** Its operation cannot go on: tells why and completes. */
  fail(frame: Frame): void {
    if (this.isOver) return;
    this.outlet.next(frame);
    this.outlet.complete();
    this.leave('done');
  }

  /** Its client is too slow, or has to go elsewhere. */
  disconnect(): void {
    if (this.isOver) return;
    this.services.counts.tooSlow++;
    const cursor = this.position.after;
    this.leave('lost');
    this.outlet.disconnect('CONSUMER_TOO_SLOW', cursor);
  }

  /** Gives the client an answer, if it is the one it is to get next. */
  take(event: StreamEvent, frame: Frame): void {
    if (event.index !== this.index) return;
    this.give(event, frame);
    if (this.outlet.hasRoom || this.isOver) return;
    this.variant.live.delete(this);
    void this.walk();
  }

  /** Its stream is over and it has everything: it ends as well, or goes on in another. */
  reachEnd(): void {
    if (this.isOver) return;
    const { phase, failure } = this.stream;
    if (phase === 'merged') return this.move({ ...this.place });
    if (failure !== undefined) return this.fail(this.variant.failure(failure));
    this.outlet.complete();
    this.leave('done');
  }

  /** Gives what is there until it has everything, there is no room, or another walk begins. */
  private async walk(): Promise<void> {
    const walk = ++this.walks;
    while (!this.isOver && walk === this.walks) {
      if (!this.outlet.hasRoom) return this.waitForRoom(walk);
      if (this.gap) this.tellGap(this.gap);
      else if (this.index === this.stream.window.end) return this.arrive();
      else {
        const event = this.nextEvent();
        if (!event) return;
        const made = this.variant.frameOf(event);
        if (made instanceof Promise) this.makeAhead(event.index);
        const frame = made instanceof Promise ? await made : made;
        if (!this.isOver && walk === this.walks) this.give(event, frame);
      }
    }
  }

  /** Has the next answers made while it waits for this one; they are given in order. */
  private makeAhead(index: number): void {
    if (this.isSlow) return;
    for (let next = index + 1; next < index + AHEAD; next++) {
      const event = this.stream.window.at(next);
      if (event) void this.variant.frameOf(event);
    }
  }

  private give(event: StreamEvent, frame: Frame): void {
    this.index = event.index + 1;
    if (event.cursor !== undefined) this.position = { after: event.cursor, snapshot: false };
    this.services.counts.delivered++;
    this.outlet.next(frame);
  }

  private waitForRoom(walk: number): void {
    this.isSlow = true;
    this.services.waiting(this, true);
    this.outlet.onRoom(() => {
      this.services.waiting(this, false);
      if (!this.isOver && walk === this.walks) void this.walk();
    });
  }

  private arrive(): void {
    this.isSlow = false;
    if (this.stream.phase === 'open') this.stream.settle(this.variant, this);
    else this.reachEnd();
  }

  /** The event it is to get next; undefined when it left the stream because that is gone from the window. */
  private nextEvent(): StreamEvent | undefined {
    const { window, origin } = this.stream;
    const { cursor, delivery, start } = origin.source.field;
    const event = window.at(this.index);
    if (delivery === 'latest' && this.isSlow && (!event || window.isSuperseded(event))) {
      const next = window.knowsNewest(this.index) ? window.nextNewest(this.index) : undefined;
      this.services.counts.coalesced += next ? next.index - this.index : 0;
      if (next) return next;
      if (event) return this.passOver();
    }
    if (event) return event;
    const canGoBack = cursor !== undefined && (this.position.after !== undefined || start !== 'now');
    if (canGoBack) this.rejoin();
    else if (cursor === undefined && this.isSlow) this.disconnect();
    else this.skip();
    return undefined;
  }

  /** A newer event of the same key will come. */
  private passOver(): StreamEvent | undefined {
    this.services.counts.coalesced++;
    this.index++;
    return this.nextEvent();
  }

  /** It was overtaken where it cannot go back: it had no cursor yet, or others' answers were made faster than its own. */
  private skip(): void {
    const { window } = this.stream;
    this.gap = { reason: 'CONSUMER_TOO_SLOW', missed: window.start - this.index };
    this.index = window.start;
    const after = this.place.group.cursorBefore(this.stream, this.index);
    if (after !== undefined) this.position = { after, snapshot: false };
    void this.walk();
  }

  /** Reads on from where it is in another stream. */
  private rejoin(): void {
    const { stream, variant } = this;
    this.join(this.position);
    stream.leave(variant, this, 'done');
    void this.walk();
  }

  private tellGap(gap: Gap): void {
    this.gap = undefined;
    this.services.counts.gaps++;
    const cursor = this.place.group.cursorBefore(this.stream, this.index);
    this.outlet.next({ payload: `{"data":null${extensionsText({ cursor, isSnapshot: false, gap })}}`, cursor });
  }
}
