import { ApolloClient, ApolloLink, CombinedProtocolErrors, gql, HttpLink, InMemoryCache } from '@apollo/client';
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

const COUNT = 'subscription Count($to: Int!) { count(to: $to) { n } }';
const ACCEPT = 'multipart/mixed;subscriptionSpec=1.0';
const BRIEF: Authenticate = async (authorization) => {
  if (authorization === undefined) return null;
  if (authorization !== 'Bearer brief') throw new SautiError('UNAUTHENTICATED', 'The token is not valid.');
  return {
    viewer: { userId: 'u1', sessionId: 's1', scopes: [] },
    issuedAt: new Date(),
    endsAt: new Date(Date.now() + 1_000),
  };
};

const post = (url: string, body: object, headers: Record<string, string> = {}): Promise<OpenStream> =>
  openStream(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: ACCEPT, ...headers },
    body: JSON.stringify(body),
  });

/** The bodies of the parts so far, by the letter of RFC 2046: each with the headers that clients check. */
function partsOf(opened: OpenStream): unknown[] {
  const [preamble, ...parts] = opened.text.split('\r\n--graphql');
  expect(preamble).toBe('');
  return parts
    .filter((part) => part !== '' && part !== '--\r\n')
    .map((part) => {
      const [, body] = /^\r\ncontent-type: application\/json\r\n\r\n(.*)$/s.exec(part)!;
      return JSON.parse(body!) as unknown;
    });
}

describe('a multipart answer', () => {
  let running: RunningShop;
  beforeAll(async () => void (running = await aRunningShop('in process')));
  afterAll(() => running[Symbol.asyncDispose]());

  test.each([
    ACCEPT,
    'multipart/mixed; subscriptionSpec="1.0"',
    'multipart/mixed;boundary=graphql;subscriptionSpec=1.0',
  ])('to Accept: %s has a part for each event, and an end', async (accept) => {
    const opened = await post(running.url, { query: COUNT, variables: { to: 2 } }, { accept });
    expect([opened.status, Object.fromEntries(opened.headers)]).toEqual([
      200,
      expect.objectContaining({
        'content-type': 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0',
        'cache-control': 'private, no-store, no-transform',
        'x-accel-buffering': 'no',
        'x-connection-id': expect.any(String) as string,
      }),
    ]);
    expect(await opened.ended).toBe(true);
    expect(partsOf(opened)).toEqual([
      { payload: { data: { count: { n: 1 } }, extensions: { cursor: expect.any(String) as string } } },
      { payload: { data: { count: { n: 2 } }, extensions: { cursor: expect.any(String) as string } } },
    ]);
    expect(opened.text.endsWith('\r\n--graphql--\r\n')).toBe(true);
  });

  test('shows each part at once, not with the next one', async () => {
    const opened = await post(running.url, { query: 'subscription { quiet { n } }' });
    await waitFor('the stream', () => running.shop.feeds.quiet.open > 0);
    running.shop.feeds.quiet.push({ quiet: { n: 1 } });
    await waitFor('the whole part', () => opened.text.endsWith('}\r\n--graphql'));
    opened.close();
    await waitFor('its end', () => running.gateway.subscriptions.subscriptions === 0);
  });

  test.each([
    ['application/json', 200],
    ['application/graphql-response+json', 400],
  ])('is none for an operation that is refused, where the client takes %s, too: %i', async (json, status) => {
    const opened = await post(
      running.url,
      { query: 'subscription { nothing }' },
      { accept: `${ACCEPT}, ${json};q=0.9` },
    );
    await opened.ended;
    expect([opened.status, opened.headers.get('content-type')]).toEqual([status, `${json}; charset=utf-8`]);
    expect(JSON.parse(opened.text)).toMatchObject({ errors: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }] });
  });

  test('tells of a refusal where the client takes nothing else', async () => {
    const opened = await post(running.url, { query: 'subscription { nothing }' });
    // What is no valid document may still be a subscription.
    await opened.ended;
    expect(partsOf(opened)).toMatchObject([
      { payload: { errors: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }] } },
    ]);
  });

  test('is not for queries', async () => {
    const opened = await post(running.url, { query: '{ me { id } }' }, { accept: `${ACCEPT}, application/json` });
    expect(opened.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect((await post(running.url, { query: '{ me { id } }' })).status).toBe(406);
  });
});

describe('Apollo Client', () => {
  let parts: ScriptedParts;
  let streams: ScriptedStreams;
  let running: RunningShop;
  beforeAll(async () => {
    parts = await scriptedParts();
    running = await aRunningShop('in process');
  });
  beforeEach(async () => void (streams = await scriptedStreams(parts, { authenticate: BRIEF, heartbeatMs: 100 })));
  afterEach(() => streams[Symbol.asyncDispose]());
  afterAll(async () => {
    await running[Symbol.asyncDispose]();
    await parts[Symbol.asyncDispose]();
  });

  interface Heard {
    results: { data?: unknown; error?: unknown }[];
    isComplete: boolean;
    unsubscribe(): void;
  }

  /** Subscribes with the link that the client has built in. */
  function subscribed(uri: string, query: string, variables = {}, headers: Record<string, string> = {}): Heard {
    const client = new ApolloClient({
      link: ApolloLink.from([new HttpLink({ uri, headers })]),
      cache: new InMemoryCache(),
    });
    const heard: Heard = { results: [], isComplete: false, unsubscribe: () => subscription.unsubscribe() };
    const subscription = client.subscribe({ query: gql(query), variables, errorPolicy: 'all' }).subscribe({
      next: (result) => heard.results.push(result),
      complete: () => (heard.isComplete = true),
    });
    return heard;
  }

  test('gets every event, and the end', async () => {
    const heard = subscribed(running.url, COUNT, { to: 3 });
    await waitFor('the end', () => heard.isComplete);
    expect(heard.results.map(({ data }) => data)).toEqual([1, 2, 3].map((n) => ({ count: { __typename: 'Tick', n } })));
  });

  test('takes signs of life for nothing, and an event as it comes', async () => {
    const heard = subscribed(streams.url, 'subscription { quiet { n } }');
    const { outlet, left } = await streams.operation(0);
    const raw = await post(streams.url, { query: 'subscription { quiet { n } }' });
    await waitFor('signs of life', () => partsOf(raw).length > 3);
    outlet.next({ payload: '{"data":{"quiet":{"n":1}},"extensions":{"cursor":"c1"}}', cursor: 'c1' });
    await waitFor('the event', () => heard.results.length === 1);
    expect(heard.results[0]).toMatchObject({ data: { quiet: { n: 1 } }, extensions: { cursor: 'c1' } });
    heard.unsubscribe();
    await waitFor('its end', () => left.length === 1);
    raw.close();
  });

  test('hears of a gateway that stops, with the cursor', async () => {
    const heard = subscribed(streams.url, 'subscription { quiet { n } }');
    const { outlet } = await streams.operation(0);
    outlet.next({ payload: '{"data":{"quiet":{"n":1}}}', cursor: 'c1' });
    await streams.connections[Symbol.asyncDispose]();
    await waitFor('the end', () => heard.isComplete);
    const { error } = heard.results.at(-1)!;
    expect(CombinedProtocolErrors.is(error) && error.errors).toEqual([
      { message: expect.stringContaining('stopping') as string, extensions: { code: 'GOING_AWAY', cursor: 'c1' } },
    ]);
  });

  test.each<[string, string, (streams: ScriptedStreams) => Promise<void>]>([
    ['a token that ends', 'UNAUTHENTICATED', async () => {}],
    [
      'a client that is too slow',
      'CONSUMER_TOO_SLOW',
      async (streams) => (await streams.operation(0)).outlet.disconnect('CONSUMER_TOO_SLOW', 'c5'),
    ],
  ])('hears of %s', async (_, code, act) => {
    const heard = subscribed(streams.url, 'subscription { quiet { n } }', {}, { authorization: 'Bearer brief' });
    await act(streams);
    await waitFor('the end', () => heard.isComplete);
    const { error } = heard.results.at(-1)!;
    expect(CombinedProtocolErrors.is(error) && error.errors[0]!.extensions).toMatchObject({ code });
  });

  test('hears why it is refused', async () => {
    const heard = subscribed(running.url, 'subscription { nothing }');
    await waitFor('the end', () => heard.results.length > 0);
    expect(String(heard.results[0]!.error)).toContain('Cannot query field "nothing"');
  });
});
