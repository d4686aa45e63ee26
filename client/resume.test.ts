import { GraphQLError } from 'graphql';
import type { Client } from 'graphql-ws';
import WebSocket from 'ws';
import { waitFor } from '../platform/testing/wait';
import { log, startPeer, type Answer, type Peer } from './testing';
import { createResumingClient, resume, type ResumingOptions, type StreamResult } from './resume';

type Counted = StreamResult<{ count: number }>;

const LENGTH = 60;
const all = Array.from({ length: LENGTH }, (_, index) => index + 1);
const request = { query: 'subscription { count }' };
let peer: Peer;
let client: Client | undefined;
/** What the peer is asked for tokens with: whether the last one was refused. */
let refusals: boolean[];

beforeEach(async () => {
  peer = await startPeer((after) => log(after, LENGTH));
  refusals = [];
});
afterEach(async () => {
  await client?.dispose();
  await peer[Symbol.asyncDispose]();
});

function connect(options: Partial<ResumingOptions> = {}): Client {
  const token = (wasRefused: boolean): string => {
    refusals.push(wasRefused);
    return wasRefused ? 'second' : 'first';
  };
  client = createResumingClient({ url: peer.url, webSocketImpl: WebSocket, token, ...options });
  return client;
}
const follow = (extensions: Record<string, unknown> = {}, options: Partial<ResumingOptions> = {}) =>
  resume<{ count: number }>(connect(options), { ...request, extensions });
async function toTheEnd(stream: AsyncGenerator<Counted>): Promise<Counted[]> {
  const results: Counted[] = [];
  for await (const result of stream) results.push(result);
  return results;
}
const countsOf = (results: Counted[]): (number | undefined)[] => results.map(({ data }) => data?.count);

/** Sends `each` events on every socket, then cuts it. */
function cutting(each: number, cut: (socket: WebSocket) => void): Answer {
  return async function* (after, socket) {
    yield* log(after, Math.min(after + each, LENGTH));
    if (after + each >= LENGTH) return;
    cut(socket);
    await new Promise((resolve) => socket.once('close', resolve));
  };
}

test.each<[string, (socket: WebSocket) => void]>([
  ['without a word', (socket) => socket.terminate()],
  ['1001, because the server stops', (socket) => socket.close(1001, 'Going away')],
  ['1012, because it restarts', (socket) => socket.close(1012, 'Service restart')],
  ['4413, because the client was slow', (socket) => socket.close(4413, 'Consumer too slow')],
])('connections that are cut again and again (%s) lose nothing and repeat nothing', async (_how, cut) => {
  peer.answer = cutting(13, cut);
  expect(countsOf(await toTheEnd(follow()))).toEqual(all);
  expect(peer.asked.length).toBeGreaterThan(4);
});

test('what has arrived but not been read when the connection is cut is not asked for again', async () => {
  peer.answer = cutting(20, (socket) => socket.terminate());
  const stream = follow();
  const first = await stream.next();
  await waitFor('the last connection', () => peer.asked.length >= 3 && peer.open === 0);
  expect(countsOf([first.value as Counted, ...(await toTheEnd(stream))])).toEqual(all);
});

test('a server that is gone for a while is found again', async () => {
  let reached = (): void => {};
  const half = new Promise<void>((resolve) => (reached = resolve));
  peer.answer = async function* (after, socket) {
    yield* log(after, after === 0 ? 30 : LENGTH);
    if (after > 0) return;
    reached();
    await new Promise((resolve) => socket.once('close', resolve));
  };
  const results = toTheEnd(follow());
  await half;
  let attempts = 0;
  client!.on('error', () => attempts++);
  await peer.stop();
  await waitFor('an attempt that fails', () => attempts > 0);
  await peer.restart();
  expect(countsOf(await results)).toEqual(all);
});

test('a token that has expired is replaced, and the stream goes on', async () => {
  peer.answer = cutting(30, (socket) => {
    peer.tokens = new Set(['second']);
    socket.close(4403, 'Forbidden');
  });
  expect(countsOf(await toTheEnd(follow()))).toEqual(all);
  expect(refusals).toEqual([false, true]);
});

test('who has no new token learns why', async () => {
  peer.tokens.clear();
  const token = (wasRefused: boolean): string => {
    if (wasRefused) throw new Error('Sign in again.');
    return 'first';
  };
  await expect(follow({}, { token }).next()).rejects.toThrow('Sign in again.');
});

test('a server that is silent without having closed the connection is left', async () => {
  peer.answer = cutting(30, (socket) => socket.pause());
  expect(countsOf(await toTheEnd(follow({}, { pingMs: 200 })))).toEqual(all);
});

test('a failure that passes by itself is not told', async () => {
  const answers: Answer[] = [
    () => ({ data: null, errors: [{ message: 'Away.', extensions: { code: 'SUBGRAPH_UNAVAILABLE' } }] }),
    () => new GraphQLError('Later.', { extensions: { code: 'OVERLOADED' } }),
    (after) => log(after, 30),
    async function* (after) {
      yield* log(after, 40);
      yield { data: null, errors: [{ message: 'Away.', extensions: { code: 'DATABASE_UNAVAILABLE' } }] };
    },
  ];
  peer.answer = (after, socket) => (answers.shift() ?? ((from: number) => log(from, LENGTH)))(after, socket);
  const first = await toTheEnd(follow());
  expect(countsOf(first)).toEqual(all.slice(0, 30));
  expect(countsOf(await toTheEnd(follow({ cursor: 'at 30' })))).toEqual(all.slice(30));
});

test.each<[string, Answer]>([
  ['a failure', () => ({ data: null, errors: [{ message: 'No.', extensions: { code: 'NOT_FOUND' } }] })],
  ['a refusal', () => new GraphQLError('No.', { extensions: { code: 'NOT_FOUND' } })],
])('%s is the last result, and nothing is asked again', async (_what, answer) => {
  peer.answer = answer;
  const results = await toTheEnd(follow());
  expect(results).toMatchObject([{ errors: [{ message: 'No.', extensions: { code: 'NOT_FOUND' } }] }]);
  expect(peer.asked).toHaveLength(1);
});

test('errors of one event do not end the stream', async () => {
  const broken = { data: null, errors: [{ message: 'Away.', extensions: { code: 'SUBGRAPH_UNAVAILABLE' } }] };
  peer.answer = async function* () {
    yield { ...broken, extensions: { cursor: 'at 1' } };
    yield* log(1, 2);
  };
  expect(await toTheEnd(follow())).toMatchObject([broken, { data: { count: 2 } }]);
  expect(peer.asked).toHaveLength(1);
});

test('a wish for the present state reaches the server, and notices of snapshots and gaps the caller', async () => {
  const told = [
    { data: { count: 7 }, extensions: { cursor: 'at 7', snapshot: true } },
    { data: null, extensions: { cursor: 'at 9', gap: { reason: 'CURSOR_EXPIRED', missed: 2 } } },
  ];
  peer.answer = async function* () {
    yield* told;
  };
  expect(await toTheEnd(follow({ snapshot: true }))).toEqual(told);
  expect(peer.asked[0]!.extensions).toEqual({ snapshot: true });
});

test('who leaves in the quiet is let go at once, on both sides', async () => {
  peer.answer = async function* (_after, socket) {
    yield* log(0, 1);
    await new Promise((resolve) => socket.once('close', resolve));
  };
  const stream = follow();
  await stream.next();
  const waiting = stream.next();
  await stream.return();
  expect(await waiting).toEqual({ done: true, value: undefined });
  await waitFor('the end of the subscription', () => peer.open === 0);
});

test('a client that may not try for ever says what it could not reach', async () => {
  await peer.stop();
  await expect(follow({}, { retryAttempts: 1 }).next()).rejects.toThrow(/ECONNREFUSED/);
  await peer.restart();
});
