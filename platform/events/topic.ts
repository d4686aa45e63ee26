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

/** The cursor of position `seq` in a topic: opaque to clients, and refused when used with another topic. */
export function encodeCursor(topic: Topic<unknown>, seq: number): string {
  return Buffer.from(`${seq}.${fingerprint(topic)}`).toString('base64url');
}

/** The position a client's cursor stands for, or null when it is not a cursor of this topic. */
export function decodeCursor(topic: Topic<unknown>, cursor: string): number | null {
  const match = /^(\d{1,15})\.([0-9a-f]{8})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'));
  return match?.[2] === fingerprint(topic) ? Number(match[1]) : null;
}

function fingerprint(topic: Topic<unknown>): string {
  return createHash('sha256').update(topic.name).digest('hex').slice(0, 8);
}
