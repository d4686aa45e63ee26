import { isDeepStrictEqual } from 'node:util';
import type { Selection, StreamName } from './workload';

/** What the load generator needs to know of one message. */
export interface ReadMessage {
  id: string;
  type: string;
  /** Null for a message that is not the `next` of a line, as it should be; then `fault` says what is wrong. */
  line: { seq: number; at: number } | null;
  fault: string | null;
  cursor: string | undefined;
}

/** Payloads that are remembered; a few dozen are under way at a time. */
const MAX_KNOWN = 200;
/** Both kinds of servers write the id first, so the rest is the same text for all who get the same. */
const NEXT = /^\{"id":"(\w+)"/;
const MAX_SHOWN = 300;

/**
 * Reads messages and compares each with what its subscriber asked for. The same text means the same, so each text is read
 * once: reading 10 000 copies would be most of what the load generator does.
 */
export class MessageReader {
  private readonly known = new Map<string, Omit<ReadMessage, 'id'>>();

  constructor(private readonly job: string) {}

  idOf(text: string): string {
    return NEXT.exec(text)?.[1] ?? String((JSON.parse(text) as { id?: unknown }).id);
  }

  read(text: string, id: string, key: string, field: StreamName, selection: Selection): ReadMessage {
    const rest = key + text.slice(id.length + 7); // {"id":"…"
    const known = this.known.get(rest);
    if (known) return { ...known, id };
    const message = this.parse(text, field, selection);
    if (this.known.size >= MAX_KNOWN) this.known.clear();
    if (NEXT.test(text)) this.known.set(rest, message);
    return { ...message, id };
  }

  private parse(text: string, field: StreamName, selection: Selection): Omit<ReadMessage, 'id'> {
    const { type, payload } = JSON.parse(text) as { type: string; payload?: Payload };
    const line = payload?.data?.[field];
    const cursor = payload?.extensions?.cursor;
    const { at, text: words, ...facts } = line ?? {};
    void words; // its length is the benchmark's choice, and says nothing
    const seq = Number(facts.seq);
    const isRight =
      type === 'next' &&
      typeof at === 'number' &&
      payload?.errors === undefined &&
      isDeepStrictEqual(facts, selection.expected(`${this.job}:${seq}`, seq));
    if (isRight) return { type, line: { seq, at }, fault: null, cursor };
    return { type, line: null, fault: type === 'complete' ? 'complete' : text.slice(0, MAX_SHOWN), cursor };
  }
}

interface Payload {
  data?: Record<string, Record<string, unknown> | undefined>;
  errors?: unknown;
  extensions?: { cursor?: string };
}
