import { randomInt } from 'node:crypto';
import type { Frame } from '../../operations/outlet';
import { farewellError, sharedBytes, type Farewell, type Wire } from './wire';

/**
 * After how many milliseconds an `EventSource` comes back, chosen for each stream: those of a gateway that stops must not
 * come back in the same moment.
 */
const RETRY_MS = { least: 1_000, most: 5_000 };

/** What may not stand in the line of an event's id (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
const NO_ID = /[\0\r\n]/;

const COMMON = {
  contentType: 'text/event-stream; charset=utf-8',
  // Firefox and Safari report a stream as open with its first byte, not with its head.
  begin: () => `:\n\nretry: ${randomInt(RETRY_MS.least, RETRY_MS.most)}\n\n`,
  heartbeat: ':\n\n',
  // No event: clients of the protocol take one that they do not know for a broken stream.
  end: (reason: Farewell | undefined) => (reason === 'GOING_AWAY' ? ': GOING_AWAY\n\n' : ''),
};

const nextBytes = sharedBytes((frame) => next(frame.payload, frame.cursor));

/** GraphQL over SSE, distinct connections mode: one stream, one operation (graphql-sse, PROTOCOL.md). */
export const DISTINCT_EVENTS: Wire = {
  ...COMMON,
  next: (_id, frame) => nextBytes(frame),
  complete: () => complete(),
  refuse: (_id, errors) => next(JSON.stringify({ errors }), undefined) + complete(),
  farewell(_id, reason, cursor) {
    // Without `complete` an EventSource comes back by itself, with the id of the last event.
    if (reason === 'GOING_AWAY') return '';
    const text = next(JSON.stringify({ errors: [farewellError(reason, cursor)] }), cursor);
    return reason === 'CONSUMER_TOO_SLOW' ? text : text + complete();
  },
};

/**
 * GraphQL over SSE, single connection mode: the events of many operations, told apart by id. They have no `id:` line: a
 * stream cannot be continued from the cursor of one of its operations.
 */
export const SHARED_EVENTS: Wire = {
  ...COMMON,
  next: (id, { payload }) => next(withId(id, payload), undefined),
  complete: (id) => complete(JSON.stringify({ id })),
  refuse: (id, errors) => next(withId(id, JSON.stringify({ errors })), undefined) + complete(JSON.stringify({ id })),
  farewell(id, reason, cursor) {
    if (reason === 'GOING_AWAY') return '';
    const text = next(withId(id, JSON.stringify({ errors: [farewellError(reason, cursor)] })), undefined);
    return reason === 'CONSUMER_TOO_SLOW' ? text : text + complete(JSON.stringify({ id }));
  },
};

function next(data: string, cursor: Frame['cursor']): string {
  const id = cursor === undefined || NO_ID.test(cursor) ? '' : `id: ${cursor}\n`;
  return `event: next\n${id}data: ${data}\n\n`;
}

/** The empty `data:` is for `EventSource`, which drops events without one. */
function complete(data?: string): string {
  return data === undefined ? 'event: complete\ndata:\n\n' : `event: complete\ndata: ${data}\n\n`;
}

function withId(id: string, payload: string): string {
  return `{"id":${JSON.stringify(id)},"payload":${payload}}`;
}
