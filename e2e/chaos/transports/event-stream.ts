import { postStream } from './post';
import { StreamClosed, type StreamFrame, type StreamTransport } from './transport';

/** GraphQL over SSE, "distinct connections" mode. */
export const eventStream: StreamTransport = async function* (request, signal) {
  const { text } = await postStream(request, 'text/event-stream', signal);
  for await (const event of readEvents(text)) {
    if (event.type === 'complete') return;
    if (event.type === 'next') yield withEventId(JSON.parse(event.data) as StreamFrame, event.id);
  }
  throw new StreamClosed(null, 'the event stream ended without "complete"');
};

export interface ServerSentEvent {
  type: string;
  data: string;
  /** The id this event itself carries; undefined without. */
  id: string | undefined;
}

/**
 * Reads server-sent events (WHATWG HTML §9.2.6, with LF or CRLF). An event that is not yet ended by an empty line is
 * not given.
 */
export async function* readEvents(text: AsyncIterable<string>): AsyncGenerator<ServerSentEvent, void, void> {
  let pending = '';
  for await (const chunk of text) {
    pending += chunk;
    const blocks = pending.split(/\r?\n\r?\n/);
    pending = blocks.pop()!;
    for (const block of blocks) {
      const event = parseEvent(block);
      if (event) yield event;
    }
  }
}

/** Null for a block that holds comments only. */
function parseEvent(block: string): ServerSentEvent | null {
  const fields = block.split(/\r?\n/).flatMap((line) => {
    const match = /^([^:]+)(?:: ?(.*))?$/.exec(line);
    return match ? [{ name: match[1]!, value: match[2] ?? '' }] : [];
  });
  const last = (name: string): string | undefined => fields.findLast((field) => field.name === name)?.value;
  if (fields.length === 0) return null;
  const data = fields.filter(({ name }) => name === 'data').map(({ value }) => value);
  return { type: last('event') ?? 'message', data: data.join('\n'), id: last('id') };
}

/** The id is what a browser would send as `Last-Event-ID`: it counts as the cursor, and must not contradict it. */
function withEventId(frame: StreamFrame, id: string | undefined): StreamFrame {
  const { cursor } = frame.extensions ?? {};
  if (id !== undefined && cursor !== undefined && id !== cursor)
    throw new Error(`The event's id is ${id}, its cursor ${cursor}.`);
  return id === undefined ? frame : { ...frame, extensions: { ...frame.extensions, cursor: id } };
}
