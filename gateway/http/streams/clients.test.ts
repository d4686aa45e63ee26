import { execFileSync, spawn } from 'node:child_process';
import { createClient as createSseClient, type Client as SseClient, type RequestParams } from 'graphql-sse';
import { Client, fetchExchange } from '@urql/core';
import { Agent, EventSource } from 'undici';
import { waitFor } from '../../../platform/testing/wait';
import { aRunningShop, type RunningShop } from '../../testing/gateways';
import {
  scriptedParts,
  scriptedStreams,
  type ScriptedParts,
  type ScriptedStreams,
} from '../../testing/scripted-streams';

const COUNT = 'subscription ($to: Int!) { count(to: $to) { n } }';
const QUIET = 'subscription { quiet { n } }';

let running: RunningShop;
let parts: ScriptedParts;
let streams: ScriptedStreams;
beforeAll(async () => {
  running = await aRunningShop('in process');
  parts = await scriptedParts();
});
beforeEach(async () => void (streams = await scriptedStreams(parts)));
afterEach(() => streams[Symbol.asyncDispose]());
afterAll(async () => {
  await running[Symbol.asyncDispose]();
  await parts[Symbol.asyncDispose]();
});

describe.each([false, true])('graphql-sse, singleConnection: %s', (singleConnection) => {
  let client: SseClient<boolean> | undefined;
  afterEach(() => client?.dispose());

  const connect = (url: string): SseClient<boolean> =>
    (client = createSseClient<boolean>({ url, singleConnection, retry: async () => {} }));

  async function all(url: string, request: RequestParams): Promise<unknown[]> {
    const results: unknown[] = [];
    for await (const result of connect(url).iterate(request)) results.push(result);
    return results;
  }

  test('a subscription', async () => {
    expect(await all(running.url, { query: COUNT, variables: { to: 3 } })).toEqual(
      [1, 2, 3].map((n) => ({ data: { count: { n } } })),
    );
  });

  test('a query', async () => {
    expect(await all(running.url, { query: '{ me { name } }' })).toEqual([{ data: { me: { name: 'Ada' } } }]);
  });

  test('several at once, each with its own events', async () => {
    const connected = connect(running.url);
    const counts = await Promise.all(
      [5, 1, 3].map(async (to) => {
        let last: unknown;
        for await (const result of connected.iterate({ query: COUNT, variables: { to } })) last = result;
        return last;
      }),
    );
    expect(counts).toEqual([5, 1, 3].map((n) => ({ data: { count: { n } } })));
  });

  test('leaving one frees it', async () => {
    const connected = connect(running.url);
    const leave = connected.subscribe({ query: QUIET }, { next() {}, error() {}, complete() {} });
    await waitFor('the stream', () => running.shop.feeds.quiet.open === 1);
    leave();
    await waitFor('its end', () => running.shop.feeds.quiet.open === 0);
  });

  test('comes back when the gateway stops, here to the next one', async () => {
    const next = await scriptedStreams(parts);
    let url = streams.url;
    client = createSseClient<boolean>({ url: () => url, singleConnection, retry: async () => {} });
    const results: unknown[] = [];
    client.subscribe({ query: QUIET }, { next: (result) => results.push(result), error() {}, complete() {} });
    (await streams.operation(0)).outlet.next({ payload: '{"data":{"quiet":{"n":1}}}', cursor: 'c1' });
    await waitFor('an event', () => results.length === 1);
    url = next.url;
    await streams.connections[Symbol.asyncDispose]();
    (await next.operation(0)).outlet.next({ payload: '{"data":{"quiet":{"n":2}}}', cursor: 'c2' });
    await waitFor('the next event', () => results.length === 2);
    client.dispose();
    await next[Symbol.asyncDispose]();
  });
});

describe('EventSource', () => {
  test('comes back with the id of its last event', async () => {
    // Says of itself what a browser would say for a page of the same origin.
    const dispatcher = new Agent().compose((dispatch) => (options, handler) => {
      const headers = options.headers as Record<string, string>;
      return dispatch({ ...options, headers: { ...headers, 'sec-fetch-site': 'same-origin' } }, handler);
    });
    const url = `${streams.url}?${new URLSearchParams({ query: QUIET })}`;
    const source = new EventSource(url, { node: { dispatcher } });
    const ids: string[] = [];
    const states: number[] = [];
    source.addEventListener('next', (event) => ids.push((event as MessageEvent).lastEventId));
    source.addEventListener('error', () => states.push(source.readyState));
    const first = await streams.operation(0);
    first.outlet.next({ payload: '{"data":1}', cursor: 'c1' });
    first.outlet.next({ payload: '{"data":2}', cursor: 'c2' });
    await waitFor('both', () => ids.length === 2);
    first.outlet.disconnect('GOING_AWAY', 'c2');
    const second = await streams.operation(1);
    expect(second.payload.extensions).toEqual({ cursor: 'c2' });
    second.outlet.next({ payload: '{"data":3}', cursor: 'c3' });
    await waitFor('the next', () => ids.length === 3);
    expect([ids, states]).toEqual([['c1', 'c2', 'c3'], [source.CONNECTING]]);
    source.close();
    await waitFor('its end', () => second.left.length === 1);
    await dispatcher.close();
  });
});

test('urql, with nothing but its own exchange', async () => {
  const client = new Client({
    url: running.url,
    exchanges: [fetchExchange],
    fetchSubscriptions: true,
    preferGetMethod: false,
  });
  const results: unknown[] = [];
  let isOver = false;
  client.subscription(COUNT, { to: 3 }).subscribe(({ data, hasNext }) => {
    if (data !== undefined) results.push((data as { count: { n: number } }).count.n);
    isOver = !hasNext;
  });
  await waitFor('the end', () => isOver);
  expect([...new Set(results)]).toEqual([1, 2, 3]);
  const { data } = await client.query('{ me { name } }', {}).toPromise();
  expect(data).toEqual({ me: { name: 'Ada' } });
});

describe('curl -N', () => {
  const isThere = (): boolean => {
    try {
      execFileSync('curl', ['--version']);
      return true;
    } catch {
      return false;
    }
  };
  const curl = (...more: string[]): Promise<string> =>
    new Promise((resolve, reject) => {
      const child = spawn('curl', ['-sN', streams.url, '-H', 'content-type: application/json', ...more]);
      let text = '';
      child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
      child.once('error', reject);
      child.once('close', () => resolve(text));
    });

  test('prints events', async () => {
    if (!isThere()) return console.warn('curl is not installed: its test is skipped');
    const printed = curl('-H', 'accept: text/event-stream', '-d', JSON.stringify({ query: QUIET }));
    const { outlet } = await streams.operation(0);
    outlet.next({ payload: '{"data":{"quiet":{"n":1}}}', cursor: 'c1' });
    outlet.complete();
    expect((await printed).replace(/retry: \d+/, 'retry: N')).toBe(
      ':\n\nretry: N\n\nevent: next\nid: c1\ndata: {"data":{"quiet":{"n":1}}}\n\nevent: complete\ndata:\n\n',
    );
  });
});
