import { SautiError } from '../../../platform/errors';
import { waitFor } from '../../../platform/testing/wait';
import type { Authenticate } from '../../options';
import { openStream, type OpenStream } from '../../testing/event-stream';
import { aRunningShop, type RunningShop } from '../../testing/gateways';
import {
  scriptedParts,
  scriptedStreams,
  type ScriptedParts,
  type ScriptedStreams,
} from '../../testing/scripted-streams';

/** Takes `Bearer <user> <session> <milliseconds>` at its word. */
const authenticate: Authenticate = async (authorization) => {
  if (authorization === undefined) return null;
  const [, userId, sessionId, livesMs] = /^Bearer (\w+) (\w+) (\d+)$/.exec(authorization) ?? [];
  if (!userId || !sessionId) throw new SautiError('UNAUTHENTICATED', 'The token is not valid.');
  return {
    viewer: { userId, sessionId, scopes: [] },
    issuedAt: new Date(),
    endsAt: new Date(Date.now() + Number(livesMs)),
  };
};
const ADA = { authorization: 'Bearer ada s1 600000' };
const GRACE = { authorization: 'Bearer grace s2 600000' };
const TOKEN = 'x-graphql-event-stream-token';
const COUNT = 'subscription ($to: Int!) { count(to: $to) { n } }';
const QUIET = 'subscription { quiet { n } }';

type Headers = Record<string, string>;

async function reserve(url: string, headers: Headers = {}): Promise<string> {
  const response = await fetch(url, { method: 'PUT', headers });
  expect([response.status, response.headers.get('content-type')]).toEqual([201, 'text/plain; charset=utf-8']);
  return response.text();
}

const claim = (url: string, token: string, headers: Headers = {}): Promise<OpenStream> =>
  openStream(url, { headers: { accept: 'text/event-stream', [TOKEN]: token, ...headers } });

/** Status and code of the error, if there is one. */
async function send(url: string, token: string, init: RequestInit): Promise<[number, string | undefined]> {
  const headers = { 'content-type': 'application/json', [TOKEN]: token, ...(init.headers as Headers | undefined) };
  const response = await fetch(url, { ...init, headers });
  const text = await response.text();
  if (text === '') return [response.status, undefined];
  return [
    response.status,
    (JSON.parse(text) as { errors: { extensions: { code: string } }[] }).errors[0]!.extensions.code,
  ];
}

const operation = (query: string, operationId: unknown, more: object = {}, headers: Headers = {}): RequestInit => ({
  method: 'POST',
  headers,
  body: JSON.stringify({ query, extensions: { operationId }, ...more }),
});
const stop = (url: string, token: string, id: string, headers: Headers = {}): Promise<[number, string | undefined]> =>
  send(`${url}?operationId=${id}`, token, { method: 'DELETE', headers });

describe('one stream for many operations', () => {
  let running: RunningShop;
  beforeAll(async () => {
    running = await aRunningShop('in process', { authenticate, limits: { maxOperationsPerSocket: 3 } });
  });
  afterAll(() => running[Symbol.asyncDispose]());

  const eventsOf = (opened: OpenStream, id: string): unknown[] =>
    opened.stream.events
      .map(({ type, data }) => ({ type, ...(JSON.parse(data) as { id: string; payload?: unknown }) }))
      .filter((event) => event.id === id)
      .map(({ type, payload }) => (type === 'complete' ? type : { ...(payload as object), extensions: undefined }));
  const subscriptions = (): number => running.gateway.subscriptions.subscriptions;

  test('carries their results under their ids, and stays open', async () => {
    const token = await reserve(running.url);
    const opened = await claim(running.url, token);
    expect([opened.status, opened.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
    const statuses = await Promise.all([
      send(running.url, token, operation(COUNT, 'a', { variables: { to: 2 } })),
      send(running.url, token, operation('{ me { name } }', 'b')),
      send(running.url, token, operation(QUIET, '"quoted"\n')),
    ]);
    expect(statuses).toEqual(Array(3).fill([202, undefined]));
    await waitFor('both', () => opened.stream.events.length === 5);
    expect(eventsOf(opened, 'a')).toEqual([{ data: { count: { n: 1 } } }, { data: { count: { n: 2 } } }, 'complete']);
    expect(eventsOf(opened, 'b')).toEqual([{ data: { me: { name: 'Ada' } } }, 'complete']);
    running.shop.feeds.quiet.push({ quiet: { n: 7 } });
    await waitFor('the other', () => eventsOf(opened, '"quoted"\n').length === 1);
    opened.close();
    await waitFor('the end', () => subscriptions() === 0);
  });

  test('may be asked for things before its client has come for it', async () => {
    const token = await reserve(running.url);
    expect(await send(running.url, token, operation(COUNT, 'a', { variables: { to: 3 } }))).toEqual([202, undefined]);
    const opened = await claim(running.url, token);
    await opened.receive('complete');
    expect(eventsOf(opened, 'a')).toHaveLength(4);
    opened.close();
  });

  test('an operation may come by GET, a mutation may not', async () => {
    const token = await reserve(running.url);
    const opened = await claim(running.url, token);
    const search = (query: string): string =>
      `${running.url}?${new URLSearchParams({ query, extensions: '{"operationId":5}' })}`;
    running.shop.log.length = 0;
    expect(await send(search('mutation { touchProducts }'), token, {})).toEqual([405, 'BAD_REQUEST']);
    expect(await send(search('{ me { id } }'), token, {})).toEqual([202, undefined]);
    await opened.receive('complete');
    expect([eventsOf(opened, '5')[0], running.shop.log]).toEqual([{ data: { me: { id: 'u1' } } }, []]);
    opened.close();
  });

  test('DELETE ends an operation, and its id is free again', async () => {
    const token = await reserve(running.url);
    const opened = await claim(running.url, token);
    await send(running.url, token, operation(QUIET, 'a'));
    expect(subscriptions()).toBe(1);
    expect(await stop(running.url, token, 'a')).toEqual([200, undefined]);
    expect(subscriptions()).toBe(0);
    expect(await stop(running.url, token, 'a')).toEqual([200, undefined]);
    expect(await send(running.url, token, operation('{ me { id } }', 'a'))).toEqual([202, undefined]);
    await opened.receive('complete');
    expect(opened.stream.events.map(({ type }) => type)).toEqual(['next', 'complete']);
    opened.close();
  });

  test('an id in use, and one operation too many, are refused; the others go on', async () => {
    const token = await reserve(running.url);
    const opened = await claim(running.url, token);
    for (const id of ['a', 'b', 'c']) await send(running.url, token, operation(QUIET, id));
    expect(await send(running.url, token, operation(QUIET, 'a'))).toEqual([409, 'CONFLICT']);
    expect(await send(running.url, token, operation(QUIET, 'd'))).toEqual([429, 'SUBSCRIPTION_LIMIT']);
    expect(await stop(running.url, token, 'a')).toEqual([200, undefined]);
    expect(await send(running.url, token, operation(QUIET, 'd'))).toEqual([202, undefined]);
    running.shop.feeds.quiet.push({ quiet: { n: 1 } });
    await waitFor('an event for each', () => opened.stream.events.length === 3);
    opened.close();
  });

  test.each<[string, number, RequestInit]>([
    ['no id', 400, operation('{ me { id } }', undefined)],
    ['an empty id', 400, operation('{ me { id } }', '')],
    ['an id that is an object', 400, operation('{ me { id } }', {})],
    ['an id of 257 characters', 400, operation('{ me { id } }', 'x'.repeat(257))],
    ['a document that is none', 400, operation('{', 'a')],
    ['variables that do not fit', 400, operation(COUNT, 'a')],
    ['wrong variables, as who names JSON gets them', 200, operation(COUNT, 'a', {}, { accept: 'application/json' })],
    ['an Accept that takes no answer', 406, operation('{ me { id } }', 'a', {}, { accept: 'text/plain' })],
    ['no JSON', 400, { method: 'POST', body: '{' }],
    ['a form', 415, operation('{ me { id } }', 'a', {}, { 'content-type': 'text/plain' })],
    ['a huge body', 413, operation('{ me { id } }', 'a', { variables: { x: 'x'.repeat(110_000) } })],
    ['DELETE without an id', 400, { method: 'DELETE' }],
    ['GET without anything', 400, { method: 'GET' }],
  ])('%s: %i', async (_, status, init) => {
    const token = await reserve(running.url);
    const opened = await claim(running.url, token);
    expect((await send(running.url, token, init))[0]).toBe(status);
    expect(opened.stream.events).toEqual([]);
    opened.close();
  });

  test('names that objects inherit are ids like any other', async () => {
    const token = await reserve(running.url);
    const opened = await claim(running.url, token);
    for (const id of ['__proto__', 'constructor', 'toString'])
      expect(await send(running.url, token, operation('{ me { id } }', id))).toEqual([202, undefined]);
    await waitFor('all', () => opened.stream.events.length === 6);
    opened.close();
  });
});

describe('whose stream it is', () => {
  let running: RunningShop;
  beforeAll(async () => {
    running = await aRunningShop('in process', { authenticate, limits: { maxConnectionsPerUser: 3 } });
  });
  afterAll(() => running[Symbol.asyncDispose]());

  test.each(['PUT', 'GET', 'POST', 'DELETE'])('an unknown token: %s', async (method) => {
    const init =
      method === 'POST' ? operation('{ me { id } }', 'a') : { method, headers: { accept: 'text/event-stream' } };
    const expected = method === 'PUT' ? 201 : 404;
    const response = await fetch(running.url, {
      ...init,
      headers: { 'content-type': 'application/json', ...(init.headers as Headers), [TOKEN]: 'unknown' },
    });
    expect(response.status).toBe(expected);
    if (method === 'PUT') expect(await response.text()).not.toBe('unknown');
  });

  test('of another viewer it is unknown, and nothing happens to it', async () => {
    const token = await reserve(running.url, ADA);
    expect((await claim(running.url, token, GRACE)).status).toBe(404);
    for (const headers of [GRACE, {}]) {
      expect(await send(running.url, token, operation('{ me { id } }', 'a', {}, headers))).toEqual([404, 'NOT_FOUND']);
      expect(await stop(running.url, token, 'a', headers)).toEqual([404, 'NOT_FOUND']);
    }
    const opened = await claim(running.url, token, ADA);
    expect(opened.status).toBe(200);
    expect(await send(running.url, token, operation('{ who }', 'a', {}, ADA))).toEqual([202, undefined]);
    expect(JSON.parse((await opened.receive('next')).data)).toEqual({ id: 'a', payload: { data: { who: 'ada' } } });
    opened.close();
  });

  test('of nobody it is not of a viewer', async () => {
    const token = await reserve(running.url);
    expect((await claim(running.url, token, GRACE)).status).toBe(404);
    expect(await send(running.url, token, operation('{ who }', 'a', {}, GRACE))).toEqual([404, 'NOT_FOUND']);
  });

  test('an EventSource, which can say nothing but its URL, comes for it with the token there', async () => {
    const token = await reserve(running.url, ADA);
    const opened = await openStream(`${running.url}?token=${token}`, { headers: { accept: 'text/event-stream' } });
    expect([opened.status, opened.headers.get('x-connection-id')]).toEqual([200, expect.any(String)]);
    expect(await send(running.url, token, operation('{ who }', 'a', {}, ADA))).toEqual([202, undefined]);
    expect((await opened.receive('next')).data).toContain('"who":"ada"');
    opened.close();
  });

  test('a second GET, and a second PUT, are conflicts', async () => {
    const token = await reserve(running.url, ADA);
    const opened = await claim(running.url, token, ADA);
    const second = await claim(running.url, token, ADA);
    const again = await fetch(running.url, { method: 'PUT', headers: { ...ADA, [TOKEN]: token } });
    expect([opened.status, second.status, again.status]).toEqual([200, 409, 409]);
    opened.close();
    await waitFor('its end', async () => (await claim(running.url, token, ADA)).status === 404);
  });

  test('reservations count among the connections of a user', async () => {
    const tokens = [
      await reserve(running.url, GRACE),
      await reserve(running.url, GRACE),
      await reserve(running.url, GRACE),
    ];
    const refused = await fetch(running.url, { method: 'PUT', headers: GRACE });
    expect(refused.status).toBe(429);
    expect(await refused.text()).toContain('SUBSCRIPTION_LIMIT');
    await reserve(running.url);
    for (const token of tokens) (await claim(running.url, token, GRACE)).close();
  });
});

describe('how a stream ends', () => {
  let parts: ScriptedParts;
  let streams: ScriptedStreams;
  beforeAll(async () => void (parts = await scriptedParts()));
  beforeEach(async () => void (streams = await scriptedStreams(parts, { authenticate, heartbeatMs: 100 })));
  afterEach(() => streams[Symbol.asyncDispose]());
  afterAll(() => parts[Symbol.asyncDispose]());

  test('one that nobody comes for is forgotten, with what was asked for', async () => {
    const token = await reserve(streams.url);
    await send(streams.url, token, operation(QUIET, 'a'));
    const { left } = await streams.operation(0);
    await waitFor('its end', () => streams.connections.size === 0);
    expect([left, (await claim(streams.url, token)).status]).toEqual([['lost'], 404]);
  });

  test('one that somebody came for has signs of life, and stays', async () => {
    const opened = await claim(streams.url, await reserve(streams.url));
    await waitFor('some', () => opened.stream.comments.length > 4);
    expect(streams.connections.size).toBe(1);
    opened.close();
  });

  test('what is sent before anybody came waits, but no more than a megabyte of it', async () => {
    const token = await reserve(streams.url);
    await send(streams.url, token, operation('{ me { id } }', 'a'));
    const { outlet, left } = await streams.operation(0);
    const payload = JSON.stringify({ data: 'x'.repeat(200_000) });
    expect(outlet.hasRoom).toBe(true);
    outlet.next({ payload, cursor: undefined });
    expect(outlet.hasRoom).toBe(false);
    for (let n = 0; n < 4; n++) outlet.next({ payload, cursor: undefined });
    expect(left).toEqual([]);
    outlet.next({ payload, cursor: undefined });
    expect([left, streams.connections.size]).toEqual([['lost'], 0]);
  });

  test('a listener for room is told when the client comes', async () => {
    const token = await reserve(streams.url);
    await send(streams.url, token, operation(QUIET, 'a'));
    const { outlet } = await streams.operation(0);
    outlet.next({ payload: JSON.stringify({ data: 'x'.repeat(300_000) }), cursor: undefined });
    let hasRoom = false;
    outlet.onRoom(() => (hasRoom = true));
    const opened = await claim(streams.url, token);
    await waitFor('room', () => hasRoom);
    await opened.receive('next');
    opened.close();
  });

  test('a token that ends: each operation is told and completed', async () => {
    const mine = { authorization: 'Bearer ada s1 1000' };
    const token = await reserve(streams.url, mine);
    const opened = await claim(streams.url, token, mine);
    for (const id of ['a', 'b']) await send(streams.url, token, operation(QUIET, id, {}, ADA));
    await opened.ended;
    expect(opened.stream.events.map(({ type, data }) => [type, (JSON.parse(data) as { id: string }).id])).toEqual([
      ['next', 'a'],
      ['complete', 'a'],
      ['next', 'b'],
      ['complete', 'b'],
    ]);
    expect(opened.text).toContain('"code":"UNAUTHENTICATED"');
  });

  test('operations run on behalf of who made the reservation, also when their requests bring another session', async () => {
    const token = await reserve(streams.url, ADA);
    await send(streams.url, token, operation(QUIET, 'a', {}, { authorization: 'Bearer ada other 600000' }));
    const { asker, renewed } = await streams.operation(0);
    expect(asker).toMatchObject({ authorization: ADA.authorization, identity: { viewer: { sessionId: 's1' } } });
    const connectionId = (await claim(streams.url, token, ADA)).headers.get('x-connection-id');
    await fetch(`${streams.url}/renew`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer ada s3 600000' },
      body: JSON.stringify({ connectionId }),
    });
    expect(renewed).toMatchObject([{ identity: { viewer: { sessionId: 's3' } } }]);
    await send(streams.url, token, operation(QUIET, 'b', {}, ADA));
    expect((await streams.operation(1)).asker.identity.viewer?.sessionId).toBe('s3');
  });

  test('an operation that is only starting is ended, and renewed, all the same', async () => {
    let go = (): void => {};
    streams.hold = new Promise((resolve) => (go = resolve));
    const token = await reserve(streams.url, ADA);
    const connectionId = (await claim(streams.url, token, ADA)).headers.get('x-connection-id');
    const asked = ['a', 'b'].map((id) => send(streams.url, token, operation(QUIET, id, {}, ADA)));
    const both = [await streams.operation(0), await streams.operation(1)];
    await fetch(`${streams.url}/renew`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer ada s3 600000' },
      body: JSON.stringify({ connectionId }),
    });
    await stop(streams.url, token, 'a', ADA);
    go();
    await Promise.all(asked);
    const of = (id: string) => both.find(({ payload }) => payload.extensions?.['operationId'] === id)!;
    expect([of('a').left, of('b').left]).toEqual([['done'], []]);
    expect(of('b').renewed).toMatchObject([{ identity: { viewer: { sessionId: 's3' } } }]);
  });

  test('one operation whose client is too slow ends the stream', async () => {
    const token = await reserve(streams.url);
    const opened = await claim(streams.url, token);
    for (const id of ['a', 'b']) await send(streams.url, token, operation(QUIET, id));
    const [a, b] = [await streams.operation(0), await streams.operation(1)];
    a.outlet.disconnect('CONSUMER_TOO_SLOW', 'c5');
    await opened.ended;
    expect(opened.results).toEqual([
      {
        id: 'a',
        payload: { errors: [expect.objectContaining({ extensions: { code: 'CONSUMER_TOO_SLOW', cursor: 'c5' } })] },
      },
    ]);
    expect([a.left, b.left]).toEqual([['lost'], ['lost']]);
    expect((await send(streams.url, token, operation(QUIET, 'c')))[0]).toBe(404);
  });

  test('a gateway that stops waits for answers, ends what is not claimed and takes nothing new', async () => {
    const token = await reserve(streams.url);
    const unclaimed = await reserve(streams.url);
    const opened = await claim(streams.url, token);
    await send(streams.url, token, operation(QUIET, 'a'));
    await send(streams.url, token, operation('{ me { id } }', 'b'));
    await streams.connections[Symbol.asyncDispose]();
    expect(await send(streams.url, token, operation(QUIET, 'c'))).toEqual([503, 'STOPPING']);
    expect((await claim(streams.url, unclaimed)).status).toBe(404);
    expect((await fetch(streams.url, { method: 'PUT' })).status).toBe(503);
    (await streams.operation(1)).outlet.complete();
    await opened.ended;
    expect(opened.stream.events.map(({ type, data }) => type + data)).toEqual(['complete{"id":"b"}']);
    expect(opened.stream.comments.at(-1)).toBe('GOING_AWAY');
  });

  test('reservations of one process are bounded', async () => {
    await streams[Symbol.asyncDispose]();
    streams = await scriptedStreams(parts, {});
    for (let count = 0; count < 1_000; count += 50)
      await Promise.all(Array.from({ length: 50 }, () => reserve(streams.url)));
    expect((await fetch(streams.url, { method: 'PUT' })).status).toBe(503);
  });
});
