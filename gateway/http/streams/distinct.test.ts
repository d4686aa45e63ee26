import { waitFor } from '../../../platform/testing/wait';
import { aRunningShop, type RunningShop } from '../../testing/gateways';
import { eventStreamPost, openStream, type OpenStream } from '../../testing/event-stream';

let running: RunningShop;
beforeAll(async () => {
  running = await aRunningShop('in process', { corsOrigins: ['https://app.example'], development: false });
});
afterAll(() => running[Symbol.asyncDispose]());

const post = (body: unknown, headers?: Record<string, string>): Promise<OpenStream> =>
  openStream(running.url, eventStreamPost(body, headers));
const get = (search: Record<string, string>, headers: Record<string, string> = {}): Promise<OpenStream> =>
  openStream(`${running.url}?${new URLSearchParams(search)}`, { headers: { accept: 'text/event-stream', ...headers } });
const PREFLIGHT = { 'apollo-require-preflight': 'true' };

const subscriptions = (): number => running.gateway.subscriptions.subscriptions;
const cursorOf = (result: unknown): string => (result as { extensions: { cursor: string } }).extensions.cursor;

const COUNT = 'subscription ($to: Int!) { count(to: $to) { n } }';
const counted = (to: number): unknown[] => Array.from({ length: to }, (_, n) => ({ data: { count: { n: n + 1 } } }));

describe('an operation with a stream of its own', () => {
  test('a subscription by POST sends its events and completes', async () => {
    const opened = await post({ query: COUNT, variables: { to: 3 } });
    expect(opened.status).toBe(200);
    expect(Object.fromEntries(opened.headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'private, no-store, no-transform',
      'x-accel-buffering': 'no',
      'x-connection-id': expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    });
    expect(opened.headers.get('content-encoding')).toBeNull();
    expect(await opened.ended).toBe(true);
    expect(opened.answers).toEqual(counted(3));
    expect(opened.stream.events[0]!.lastEventId).toBe(cursorOf(opened.results[0]));
    expect(opened.stream.events.at(-1)).toMatchObject({ type: 'complete', data: '' });
    expect(opened.stream.events).toHaveLength(4);
  });

  test('a subscription by GET, with variables', async () => {
    const opened = await get({ query: COUNT, variables: '{"to":2}' }, PREFLIGHT);
    await opened.ended;
    expect(opened.answers).toEqual(counted(2));
  });

  test('begins with a byte at once, and says when to come back', async () => {
    const opened = await post({ query: 'subscription { quiet { n } }' });
    await waitFor('the beginning', () => opened.stream.retryMs);
    expect(opened.text).toMatch(/^:\n\nretry: \d{4}\n\n$/);
    opened.close();
  });

  test('queries and mutations, too', async () => {
    const query = await post({ query: '{ me { name } }' });
    const mutation = await post({ query: 'mutation { touchProducts }' });
    expect([await query.ended, await mutation.ended]).toEqual([true, true]);
    expect(query.results).toEqual([{ data: { me: { name: 'Ada' } } }]);
    expect(mutation.results).toEqual([{ data: { touchProducts: expect.any(Number) as number } }]);
  });

  test('@defer sends its parts', async () => {
    const opened = await post({ query: '{ me { id ... @defer { name } } }' });
    await opened.ended;
    expect(opened.results[0]).toEqual({ data: { me: { id: 'u1' } }, hasNext: true });
    expect(opened.results.at(-1)).toMatchObject({ hasNext: false });
  });

  test.each([
    ['text that is no document', { query: '{' }, 'GRAPHQL_PARSE_FAILED'],
    ['an invalid document', { query: 'subscription { nothing }' }, 'GRAPHQL_VALIDATION_FAILED'],
    ['an unknown operation', { query: COUNT, operationName: 'Other' }, 'BAD_REQUEST'],
    ['variables that do not fit', { query: COUNT, variables: {} }, 'BAD_USER_INPUT'],
    ['a document over a limit', { query: `{ ${'me { partner '.repeat(16)} { id } ${'}'.repeat(16)} }` }, 'DEPTH_LIMIT'],
  ])('%s is told by an event, then completes', async (_, body, code) => {
    const opened = await post(body);
    await opened.ended;
    expect(opened.status).toBe(200);
    expect(opened.results).toEqual([{ errors: [expect.objectContaining({ extensions: { code } }) as object] }]);
    expect(opened.stream.events.at(-1)?.type).toBe('complete');
  });

  test('a source that breaks is told by an event, then completes', async () => {
    const opened = await post({ query: 'subscription { count(to: 5, failAt: 2) { n } }' });
    await opened.ended;
    expect(opened.results).toMatchObject([{}, { errors: [{ extensions: { code: 'ENGINE_UNAVAILABLE' } }] }]);
  });

  test('a client that closes its connection frees the stream', async () => {
    const opened = await post({ query: 'subscription { quiet { n } }' });
    await waitFor('the subscription', () => subscriptions() > 0);
    opened.close();
    await waitFor('its end', () => subscriptions() === 0);
  });

  test('a client that comes back with the id of its last event gets what follows', async () => {
    const query = 'subscription { quiet { n } }';
    const first = await post({ query });
    await waitFor('the stream', () => running.shop.feeds.quiet.open === 1);
    running.shop.feeds.quiet.push({ quiet: { n: 1 } });
    const { lastEventId } = await first.receive('next');
    first.close();
    await waitFor('its end', () => subscriptions() === 0);
    running.shop.feeds.quiet.push({ quiet: { n: 2 } });
    const accept = 'multipart/mixed;subscriptionSpec=1.0';
    const again = [
      await post({ query }, { 'last-event-id': lastEventId }),
      await post({ query, extensions: { cursor: lastEventId } }),
      await post({ query }, { 'last-event-id': lastEventId, accept }),
    ];
    for (const opened of again) {
      await waitFor('what follows', () => opened.text.includes('"n":2'));
      expect(opened.text).not.toContain('"n":1');
      opened.close();
    }
    await waitFor('their end', () => subscriptions() === 0);
  });

  test('a client that closes its connection cancels its query', async () => {
    running.shop.aborted.length = running.shop.calls.length = 0;
    const opened = await post({ query: '{ slow(ms: 60000) }' });
    await waitFor('the call', () => running.shop.calls.length > 0);
    opened.close();
    await waitFor('its end', () => running.shop.aborted.length > 0);
  });
});

describe('what a client takes decides', () => {
  const QUERY = { query: '{ me { id } }' };
  test.each([
    ['text/event-stream', 'text/event-stream'],
    ['TEXT/Event-Stream;charset=utf-8', 'text/event-stream'],
    ['text/event-stream, application/json', 'text/event-stream'],
    ['application/json;q=0.5, text/event-stream;q=0.9', 'text/event-stream'],
    ['application/json, text/event-stream', 'application/json'],
    ['application/graphql-response+json, application/json, text/event-stream, multipart/mixed', 'application/graphql'],
    ['text/event-stream;q=0, application/json', 'application/json'],
    ['*/*', 'application/json'],
  ])('a query with Accept: %s', async (accept, type) => {
    const opened = await post(QUERY, { accept });
    expect(opened.headers.get('content-type')).toContain(type);
    opened.close();
  });

  test.each([
    ['application/json, text/event-stream;q=0.1', 200, 'text/event-stream'],
    ['text/event-stream, multipart/mixed', 200, 'text/event-stream'],
    ['multipart/mixed;subscriptionSpec=1.0, text/event-stream', 200, 'multipart/mixed'],
    ['multipart/mixed;subscriptionSpec="1.0";q=0.1, text/event-stream', 200, 'text/event-stream'],
    ['multipart/mixed;boundary="a,b";subscriptionSpec="1.0"', 200, 'multipart/mixed'],
    ['multipart/mixed;subscriptionSpec=2.0', 406, 'application/json'],
    ['multipart/mixed', 406, 'application/json'],
    ['text/plain', 406, 'application/json'],
    ['text/event-stream;q=0', 406, 'application/json'],
    ['application/json', 400, 'application/json'],
    ['application/graphql-response+json', 400, 'application/graphql-response+json'],
    ['*/*', 400, 'application/json'],
    ['"\\"'.repeat(20), 406, 'application/json'],
  ])('a subscription with Accept: %s', async (accept, status, type) => {
    const opened = await post({ query: COUNT, variables: { to: 1 } }, { accept });
    expect([opened.status, opened.headers.get('content-type')]).toEqual([status, expect.stringContaining(type)]);
    if (status === 200) return;
    await opened.ended;
    for (const way of ['text/event-stream', 'multipart/mixed;subscriptionSpec=1.0', 'graphql-transport-ws'])
      expect(opened.text).toContain(way);
  });
});

test('a long Accept header takes no time', async () => {
  const accept = `${'","\\'.repeat(3_500)}, text/event-stream`;
  const opened = await post({ query: '{ me { id } }' }, { accept });
  expect([opened.status, opened.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
  opened.close();
});

describe('requests that are refused before there is a stream', () => {
  const refused = async (opened: OpenStream): Promise<[number, string]> => {
    await opened.ended;
    const { errors } = JSON.parse(opened.text) as { errors: { extensions: { code: string } }[] };
    return [opened.status, errors[0]!.extensions.code];
  };

  test.each<[string, unknown, number]>([
    ['no JSON', '{"query":', 400],
    ['a list', [{ query: COUNT }], 400],
    ['no query', { variables: {} }, 400],
    ['an empty query', { query: '' }, 400],
    ['a query that is no string', { query: 1 }, 400],
    ['an operationName that is none', { query: COUNT, operationName: 1 }, 400],
    ['variables that are none', { query: COUNT, variables: [] }, 400],
    ['extensions that are none', { query: COUNT, extensions: 'x' }, 400],
    ['a body over the limit', { query: COUNT, variables: { to: 'x'.repeat(110_000) } }, 413],
  ])('%s', async (_, body, status) => {
    expect((await refused(await post(body)))[0]).toBe(status);
  });

  test('only the hash of a document: clients then send the document', async () => {
    const body = { extensions: { persistedQuery: { version: 1, sha256Hash: 'abc' } } };
    expect(await refused(await post(body))).toEqual([400, 'PERSISTED_QUERY_NOT_SUPPORTED']);
  });

  test('a form', async () => {
    const opened = await post(`query=${COUNT}`, { 'content-type': 'application/x-www-form-urlencoded' });
    expect((await refused(opened))[0]).toBe(415);
  });

  test('a mutation by GET, which does not happen', async () => {
    running.shop.log.length = 0;
    const opened = await get({ query: 'mutation { touchProducts }' }, PREFLIGHT);
    expect([...(await refused(opened)), opened.headers.get('allow')]).toEqual([405, 'BAD_REQUEST', 'POST']);
    expect(running.shop.log).toEqual([]);
  });

  test.each<Record<string, string>>([
    { query: COUNT, variables: '{' },
    { query: COUNT, extensions: '[]' },
  ])('parameters that cannot be read: %j', async (search) => {
    expect(await refused(await get(search, PREFLIGHT))).toEqual([400, 'BAD_REQUEST']);
  });

  test('a parameter given twice', async () => {
    const url = `${running.url}?query={me{id}}&variables={}&variables={}`;
    expect((await refused(await openStream(url, { headers: { accept: 'text/event-stream', ...PREFLIGHT } })))[0]).toBe(
      400,
    );
  });

  test.each([
    'access_token=abc',
    'Authorization=Bearer%20abc',
    'jwt=abc',
    'Token=eyJhbGciOiJFUzI1NiIsImtpZCI6ImsifQ.e30.c2ln',
    'token=eyJhbGciOiJFUzI1NiIsImtpZCI6ImsifQ.e30.c2ln',
    'api_key=abc',
    'X-API-Key=abc',
    'q=sauti_00000000_abc',
    'token=sauti_00000000_abc',
  ])('an access token in the URL: %s', async (search) => {
    const opened = await openStream(`${running.url}?${search}`, eventStreamPost({ query: '{ me { id } }' }));
    expect((await refused(opened))[0]).toBe(400);
    expect(opened.text).toContain('does not belong in a URL');
  });

  test('a method there is not', async () => {
    const opened = await openStream(running.url, { method: 'PATCH', headers: { accept: 'text/event-stream' } });
    expect([opened.status, opened.headers.get('allow')]).toEqual([405, 'GET, POST, PUT, DELETE']);
  });
});

describe('pages of other sites', () => {
  const SEARCH = { query: COUNT, variables: '{"to":1}' };

  test.each(['POST', 'GET', 'PUT'])('a %s from an origin that is not allowed is refused', async (method) => {
    const headers = { accept: 'text/event-stream', origin: 'https://evil.example', ...PREFLIGHT };
    const body = method === 'POST' ? { body: JSON.stringify({ query: COUNT, variables: { to: 1 } }) } : {};
    const url = method === 'GET' ? `${running.url}?${new URLSearchParams(SEARCH)}` : running.url;
    const opened = await openStream(url, {
      method,
      headers: { ...headers, ...(method === 'POST' ? { 'content-type': 'application/json' } : {}) },
      ...body,
    });
    expect([opened.status, opened.headers.get('access-control-allow-origin')]).toEqual([403, null]);
  });

  test.each<[string, Record<string, string>, number]>([
    ['nothing that tells where it comes from', {}, 400],
    ['Sec-Fetch-Site: cross-site', { 'sec-fetch-site': 'cross-site' }, 400],
    ['Sec-Fetch-Site: same-site', { 'sec-fetch-site': 'same-site' }, 400],
    ['a content type of forms', { 'content-type': 'text/plain' }, 400],
    ['an empty header for preflights', { 'apollo-require-preflight': '' }, 400],
    ['Sec-Fetch-Site: same-origin', { 'sec-fetch-site': 'same-origin' }, 200],
    ['an origin that is allowed', { origin: 'https://app.example' }, 200],
    ['a header for preflights', PREFLIGHT, 200],
    ['an Authorization header', { authorization: 'Bearer x' }, 200],
  ])('a GET with %s, %j: %i', async (_, headers, status) => {
    const opened = await get(SEARCH, headers);
    expect(opened.status).toBe(status);
    opened.close();
  });

  test('an allowed origin may read the stream and the connection’s id', async () => {
    const opened = await get(SEARCH, { origin: 'https://app.example' });
    expect(opened.headers.get('access-control-allow-origin')).toBe('https://app.example');
    expect(opened.headers.get('access-control-expose-headers')).toContain('x-connection-id');
    await opened.ended;
  });
});
