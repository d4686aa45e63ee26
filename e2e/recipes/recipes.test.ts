import type { Token } from '../../client/recipes/fetch';
import type { StreamResult } from '../../client/resume';
import type { Authenticate } from '../../gateway/options';
import { runningStreams, type RunningStreams, type StreamGateway } from '../../gateway/testing/streams';
import { SautiError } from '../../platform/errors';
import type { VerifiedToken } from '../../platform/identity/access-token';
import { waitFor } from '../../platform/testing/wait';
import { startProxy, type Proxy } from '../proxy';
import { RECIPES, type RecipeClient } from './clients';

const HEAD = 'query Head($topic: ID!) { head(topic: $topic) }';
const ENTRIES =
  'subscription Entries($topic: ID!, $after: String) { entries(topic: $topic, after: $after) { __typename ... on Entry { n } } }';
const TICKS = 'subscription Ticks($topic: ID!) { ticks(topic: $topic) { n viewer } }';
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

let running: RunningStreams;
let gateway: StreamGateway;
let proxy: Proxy;
/** Tokens that are good, and how long from when they are used. */
let tokens: Map<string, number>;
let leave: () => void;
/** One for each test. */
let topic: string;
let topics = 0;

const authenticate: Authenticate = async (authorization): Promise<VerifiedToken | null> => {
  if (authorization === undefined) return null;
  const livesMs = tokens.get(authorization.replace('Bearer ', ''));
  if (livesMs === undefined) throw new SautiError('UNAUTHENTICATED', 'This token is not good.');
  return {
    viewer: { userId: 'ada', sessionId: 's', scopes: [] },
    issuedAt: new Date(),
    endsAt: new Date(Date.now() + livesMs),
  };
};

beforeAll(async () => {
  running = await runningStreams('in process');
  gateway = await running.aGateway({ authenticate });
});
afterAll(() => running[Symbol.asyncDispose]());
beforeEach(async () => {
  tokens = new Map([['first', 600_000]]);
  topic = `t${++topics}`;
  running.world.refusal = undefined;
  proxy = await startProxy(gateway.url);
  leave = () => {};
});
afterEach(async () => {
  leave();
  await proxy[Symbol.asyncDispose]();
  await waitFor('the end of its subscriptions', () => gateway.gateway.subscriptions.subscriptions === 0);
});

/** Another one on the same port. */
async function replaceGateway(meanwhile = (): void => {}): Promise<void> {
  const port = Number(new URL(gateway.url).port);
  await gateway[Symbol.asyncDispose]();
  meanwhile();
  gateway = await running.aGateway({ authenticate }, port);
}
const append = (count: number): void => {
  for (let index = 0; index < count; index++) running.world.topic(topic).append();
};
const isOpen = (): boolean => gateway.gateway.subscriptions.subscriptions === 1;

describe.each(Object.entries(RECIPES))('%s', (_name, recipe) => {
  let asked: boolean[];
  let gaps: number;
  let isSignedOut: boolean;
  let client: RecipeClient;
  beforeEach(() => {
    asked = [];
    gaps = 0;
    isSignedOut = false;
    const token: Token = (mustBeNew) => {
      if (mustBeNew && isSignedOut) throw new Error('Sign in again.');
      asked.push(mustBeNew);
      return asked.includes(true) ? 'second' : 'first';
    };
    client = recipe(proxy.url, token, () => gaps++);
  });

  function subscribe(query: string, variables: Record<string, unknown> = {}) {
    const heard = { results: [] as StreamResult[], errors: [] as string[], completed: 0 };
    leave = client.subscribe(
      query,
      { topic, ...variables },
      {
        next: (result) => heard.results.push(result),
        error: (code) => heard.errors.push(code),
        complete: () => heard.completed++,
      },
    );
    const numbers = (): unknown[] =>
      heard.results.flatMap(({ data }) => Object.values(data ?? {}).map(({ n }: { n: number }) => n));
    return { heard, numbers, has: (count: number) => waitFor(`${count} events`, () => numbers().length >= count) };
  }

  test('answers a query, and another one with a new token when the old one is refused', async () => {
    append(3);
    expect(await client.request(HEAD, { topic })).toEqual({ head: 3 });
    tokens = new Map([['second', 600_000]]);
    expect(await client.request(HEAD, { topic: 'another' })).toEqual({ head: 0 });
    expect(asked).toEqual([false, false, true]);
  });

  test('shows each event with its cursor, and frees the stream when it leaves', async () => {
    append(2);
    const { heard, has } = subscribe(ENTRIES);
    await has(2);
    expect(heard.results.map(({ extensions }) => extensions?.cursor)).toEqual([`${topic}:1`, `${topic}:2`]);
    leave();
    await waitFor('the end of the stream', () => gateway.gateway.subscriptions.subscriptions === 0);
  });

  test('shows a refusal as its own kind of error', async () => {
    const { heard } = subscribe(ENTRIES, { after: 'another:1' });
    await waitFor('the error', () => heard.errors.length > 0);
    expect(heard).toMatchObject({ results: [], errors: ['BAD_USER_INPUT'] });
  });

  test.each([
    ['the subgraph counts', ENTRIES],
    ['the gateway counts', TICKS],
  ])('loses and repeats no event that %s when the connection is cut', async (_, query) => {
    const { heard, numbers, has } = subscribe(query);
    await waitFor('the subscription', isOpen);
    for (let round = 1; round <= 3; round++) {
      append(3);
      await has(round * 5 - 2);
      expect(proxy.cut()).toBeGreaterThan(0);
      append(2);
      proxy.restore();
      await has(round * 5);
    }
    expect(numbers()).toEqual(upTo(15));
    expect(heard.errors).toEqual([]);
  });

  test('goes on with a new token when the old one ends', async () => {
    tokens = new Map([
      ['first', 300],
      ['second', 600_000],
    ]);
    const { heard, numbers, has } = subscribe(ENTRIES);
    append(2);
    await has(2);
    await waitFor('the end of the first token', () => asked.includes(true));
    tokens.delete('first');
    append(2);
    await has(4);
    expect(numbers()).toEqual(upTo(4));
    expect(heard.errors).toEqual([]);
  });

  test('comes back with a new token when the old one is refused', async () => {
    const { heard, numbers, has } = subscribe(ENTRIES);
    append(2);
    await has(2);
    tokens = new Map([['second', 600_000]]);
    proxy.cut();
    append(2);
    proxy.restore();
    await has(4);
    expect(numbers()).toEqual(upTo(4));
    expect(heard.errors).toEqual([]);
    expect(asked).toEqual([false, false, true]);
  });

  test('gives up when there is no new token, and says so', async () => {
    const { heard, has } = subscribe(ENTRIES);
    append(1);
    await has(1);
    tokens = new Map();
    isSignedOut = true;
    proxy.cut();
    proxy.restore();
    await waitFor('the error', () => heard.errors.length > 0);
    expect(heard.errors).toEqual([expect.stringContaining('Sign in again.')]);
  });

  test('goes on at the gateway that follows one that stops', async () => {
    const { numbers, has } = subscribe(ENTRIES);
    append(2);
    await has(2);
    await replaceGateway(() => append(2));
    await has(4);
    expect(numbers()).toEqual(upTo(4));
  });

  test('tries again what passes by itself, and shows nothing of it', async () => {
    running.world.refusal = new SautiError('DATABASE_UNAVAILABLE', 'Later.');
    const { heard, numbers, has } = subscribe(ENTRIES);
    await waitFor('the refusal', () => running.world.opened.some((opened) => opened.topic === topic));
    running.world.refusal = undefined;
    append(2);
    await has(2);
    expect(numbers()).toEqual([1, 2]);
    expect(heard.errors).toEqual([]);
  });

  test('tells once that events are lost, and goes on', async () => {
    const { heard, numbers, has } = subscribe(TICKS);
    await waitFor('the subscription', isOpen);
    append(1);
    await has(1);
    await replaceGateway();
    const told = (): number => gaps + heard.results.filter(({ extensions }) => extensions?.gap).length;
    await waitFor('the gap', told);
    append(2);
    await has(3);
    expect(numbers()).toEqual([1, 2, 3]);
    expect(told()).toBe(1);
    expect(heard.errors).toEqual([]);
  });
});
