import { SautiError } from '../errors';
import type { EventLog } from './event-log';
import { Permit } from './permit';
import { decodeCursor, encodeCursor, encodePartialCursor, type Position, type Topic } from './topic';

/** What a subscriber is given: the content, where it lies in the stream, and whether it tells the present state. */
export type StreamItem<Content> = Content & { cursor: string; at: Date; isSnapshot: boolean };

/** What a subscriber gets in place of events that cannot be delivered any more. */
export interface StreamGap {
  cursor: string;
  at: Date;
  reason: 'CURSOR_EXPIRED';
  /** Null when the cursor lies behind the newest event, as after a backup was restored. */
  missed: number | null;
}

/** What a subscriber to a topic is given. */
export interface StreamSource<Payload, Content> {
  /**
   * The sequence number of the newest event and, when it is told, the present state that this event has led to, both of
   * one moment. Throws when the subscriber may not have it.
   */
  present(isTold: boolean): Promise<{ head: number; items: Content[] }>;
  /** What the subscriber gets for an event; null for nothing. */
  contentOf(payload: Payload): Content | null | Promise<Content | null>;
  /** Whether nothing more is to be told behind this position, which is not before the present. */
  isOver(position: number): boolean;
  /** Throws when the subscriber may not have the stream any more; see `EventLog.read` for when it is asked. */
  check?: () => Promise<void>;
}

export interface StreamOptions {
  /** The client's cursor. */
  after: string | null | undefined;
  /** Where a stream without a cursor begins. From `present` on it also goes on behind a gap. */
  start: Position;
  signal: AbortSignal;
}

/**
 * Streams the present state or the events since `start` and then every later event; with a cursor, what is behind it.
 * Every item has a cursor of its own. Where events have been deleted, a gap is told. Nothing is read ahead of the
 * subscriber but one page of events, so a slow one costs no memory. Ends when the source is over or the signal aborts.
 * Throws BAD_USER_INPUT for a cursor of another topic, and what `present` and `check` throw.
 */
export async function* openStream<Payload, Content extends object>(
  events: EventLog,
  topic: Topic<Payload>,
  source: StreamSource<Payload, Content>,
  options: StreamOptions,
): AsyncGenerator<StreamItem<Content> | StreamGap, void, void> {
  const { after, start, signal } = options;
  const stream: Stream<Payload, Content> = { events, topic, source, start, signal, permit: new Permit(source.check) };
  let position = after == null ? start : positionOf(topic, after);
  let lost: Lost | null = null;
  for (;;) {
    const { head, items } = await source.present(position === 'present');
    if (position === 'present') {
      yield* tellPresent(stream, { head, items }, lost);
      position = head;
    } else if (position > head) {
      lost = { behind: Infinity };
      position = start === 'present' ? start : head;
      if (position === 'present') continue;
      yield gapAt(encodeCursor(topic, head), head, lost);
    }
    lost = yield* tellEvents(stream, position, head);
    if (!lost) return;
    position = 'present';
  }
}

interface Stream<Payload, Content> {
  events: EventLog;
  topic: Topic<Payload>;
  source: StreamSource<Payload, Content>;
  start: Position;
  signal: AbortSignal;
  permit: Permit;
}

/** Events behind this position are not there any more. */
interface Lost {
  behind: number;
}

/** Only the last cursor lies behind the present state: with any other one its telling has broken off. */
async function* tellPresent<Content extends object>(
  { topic, permit }: Stream<unknown, Content>,
  { head, items }: { head: number; items: Content[] },
  lost: Lost | null,
): AsyncGenerator<StreamItem<Content> | StreamGap, void, void> {
  const at = new Date();
  const cursorOf = (index: number): string =>
    index === items.length ? encodeCursor(topic, head) : encodePartialCursor(topic, head, index);
  if (lost) yield gapAt(cursorOf(0), head, lost);
  for (const [index, content] of items.entries()) {
    await permit.askWhenOld();
    yield { ...content, cursor: cursorOf(index + 1), at, isSnapshot: true };
  }
}

/** Answers null when the stream is over, or what has been lost where the present state has to be told in its place. */
async function* tellEvents<Payload, Content extends object>(
  { events, topic, source, start, signal, permit }: Stream<Payload, Content>,
  after: number,
  head: number,
): AsyncGenerator<StreamItem<Content> | StreamGap, Lost | null, void> {
  let position = after;
  if (position >= head && source.isOver(position)) return null;
  for await (const event of events.read(topic, { after, signal, permit })) {
    const cursor = encodeCursor(topic, event.seq);
    if (event.type === 'gap') {
      if (start === 'present') return { behind: position };
      yield gapAt(cursor, event.seq, { behind: position });
    } else {
      const content = await source.contentOf(event.payload);
      if (content !== null) yield { ...content, cursor, at: event.at, isSnapshot: false };
    }
    position = event.seq;
    if (position >= head && source.isOver(position)) return null;
  }
  return null;
}

function positionOf(topic: Topic<unknown>, cursor: string): Position {
  const position = decodeCursor(topic, cursor);
  if (position === null) throw new SautiError('BAD_USER_INPUT', '"after" is not a cursor of this stream.');
  return position;
}

/** The gap up to `seq`. */
function gapAt(cursor: string, seq: number, { behind }: Lost): StreamGap {
  return { cursor, at: new Date(), reason: 'CURSOR_EXPIRED', missed: seq < behind ? null : seq - behind };
}
