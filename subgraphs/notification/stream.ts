import { SautiError } from '../../platform/errors';
import type { EventLog } from '../../platform/events/event-log';
import { decodeCursor, encodeCursor, type Topic } from '../../platform/events/topic';

/** What a subscriber gets in place of events that cannot be delivered any more. */
export interface StreamGap {
  cursor: string;
  at: Date;
  reason: 'CURSOR_EXPIRED';
  /** Null when the cursor lies behind the newest event, as after a backup was restored. */
  missed: number | null;
}

/** What a subscriber to a topic is given. */
export interface StreamSource<Payload, Item> {
  /** The present state and the sequence number of the newest event that it includes, both of one moment. */
  present(): Promise<{ head: number; items: Item[] }>;
  /** What the subscriber gets for an event; null for nothing. */
  itemOf(event: { cursor: string; at: Date; payload: Payload }): Item | null | Promise<Item | null>;
  /** Whether nothing more is to be told once the events up to the present have been. */
  isOver(): boolean;
}

/**
 * Streams the present state and then every later event or, with a cursor, the events behind it. Where events have been
 * deleted, a gap is told and the stream begins anew. Nothing is read ahead of the subscriber but one page of events, so a
 * slow one costs no memory. Ends when the source is over or the signal aborts.
 * Throws BAD_USER_INPUT for a cursor of another topic, and what `present` throws.
 */
export async function* openStream<Payload, Item>(
  events: EventLog,
  topic: Topic<Payload>,
  source: StreamSource<Payload, Item>,
  options: { after: string | null | undefined; signal: AbortSignal },
): AsyncGenerator<Item | StreamGap, void, void> {
  const after = options.after == null ? null : positionOf(topic, options.after);
  const first = await source.present();
  let head = first.head;
  let position = after ?? head;
  if (after === null) yield* first.items;
  let gap = position > head;
  for (;;) {
    if (gap) {
      const present = await source.present();
      yield gapAt(topic, present.head, position);
      yield* present.items;
      head = position = present.head;
      gap = false;
    }
    if (position >= head && source.isOver()) return;
    for await (const event of events.read(topic, { after: position, signal: options.signal })) {
      gap = event.type === 'gap';
      if (event.type === 'gap') break;
      position = event.seq;
      const item = await source.itemOf({
        cursor: encodeCursor(topic, event.seq),
        at: event.at,
        payload: event.payload,
      });
      if (item !== null) yield item;
      if (position >= head && source.isOver()) return;
    }
    if (!gap) return;
  }
}

function positionOf(topic: Topic<unknown>, cursor: string): number {
  const position = decodeCursor(topic, cursor);
  if (position === null) throw new SautiError('BAD_USER_INPUT', '"after" is not a cursor of this stream.');
  return position;
}

function gapAt(topic: Topic<unknown>, head: number, position: number): StreamGap {
  const missed = head < position ? null : head - position;
  return { cursor: encodeCursor(topic, head), at: new Date(), reason: 'CURSOR_EXPIRED', missed };
}
