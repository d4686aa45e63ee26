import { createHash } from 'node:crypto';

/** A named, ordered stream of payloads of one type. Slices declare theirs in `events.ts`; the log only carries them. */
export interface Topic<Payload> {
  readonly name: string;
  /** Never set; carries the payload's type. */
  readonly payload?: Payload;
}

/** Declares a family of topics, e.g. `const transcriptTopic = topicFamily<TranscriptEvent>('transcript')`. */
export function topicFamily<Payload>(family: string): (id: string) => Topic<Payload> {
  return (id) => ({ name: `${family}:${id}` });
}

/**
 * Where a subscriber stands in a topic: behind the event with this sequence number, or before the present state, which
 * is told again from its beginning when its telling broke off.
 */
export type Position = number | 'present';

/** The cursor of position `seq` in a topic: opaque to clients, and refused when used with another topic. */
export function encodeCursor(topic: Topic<unknown>, seq: number): string {
  return encode(topic, String(seq));
}

/**
 * The cursor of the item `index` of the present state as of `seq`, unless it is the last one: a subscriber that goes on
 * from here has seen only a part of that state, so it stands before the present state. Every item has another one.
 */
export function encodePartialCursor(topic: Topic<unknown>, seq: number, index: number): string {
  return encode(topic, `${seq}s${index}`);
}

/** The position a client's cursor stands for, or null when it is not a cursor of this topic. */
export function decodeCursor(topic: Topic<unknown>, cursor: string): Position | null {
  const match = /^(\d{1,15})(s\d{1,9})?\.([0-9a-f]{8})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'));
  if (match?.[3] !== fingerprint(topic)) return null;
  return match[2] === undefined ? Number(match[1]) : 'present';
}

function encode(topic: Topic<unknown>, position: string): string {
  return Buffer.from(`${position}.${fingerprint(topic)}`).toString('base64url');
}

function fingerprint(topic: Topic<unknown>): string {
  return createHash('sha256').update(topic.name).digest('hex').slice(0, 8);
}
