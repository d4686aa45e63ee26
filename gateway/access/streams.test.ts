import { waitFor } from '../../platform/testing/wait';
import type { Authenticate } from '../options';
import {
  runningStreams,
  streamSupergraph,
  STREAM_TYPES,
  type RunningStreams,
  type StreamGateway,
} from '../testing/streams';
import { subscribeTo } from '../testing/subscriber';

/** `Bearer ada one two` is the viewer ada with the scopes one and two. */
const authenticate: Authenticate = async (authorization) => {
  if (authorization === undefined) return null;
  const [userId, ...scopes] = authorization.replace('Bearer ', '').split(' ');
  return {
    viewer: { userId: userId!, sessionId: `s-${userId}`, scopes },
    issuedAt: new Date(),
    endsAt: new Date(Date.now() + 600_000),
  };
};

const NEEDS = '@requiresScopes(scopes: [["full"]])';
const linked = (types: string): string =>
  types.replace('"@composeDirective"', '"@composeDirective", "@requiresScopes"');
const linkedPolicy = (types: string): string =>
  types.replace('v2.5', 'v2.6').replace('"@composeDirective"', '"@composeDirective", "@policy"');
/** Only the gateway knows of these rules. */
const SUPERGRAPH = streamSupergraph(
  {},
  {
    logs: linked(STREAM_TYPES.logs)
      .replace('@eventStream(scope: "subscriber")', `$& ${NEEDS}`)
      .replaceAll('padding: String!', `padding: String ${NEEDS}`),
    people: linked(STREAM_TYPES.people).replace('nick: String', `$& ${NEEDS}`),
  },
);

let running: RunningStreams;
let gateway: StreamGateway;
beforeEach(async () => {
  running = await runningStreams('in process');
  running.world.padding = 3;
  gateway = await running.aGateway({ authenticate, supergraphSdl: SUPERGRAPH });
});
afterEach(() => running[Symbol.asyncDispose]());

const subscribe = (query: string, options: Parameters<typeof subscribeTo>[2] = {}) =>
  subscribeTo(gateway, query, options);
/** Queries in which nicks were asked for, with who asked. */
const askedForNicks = (): (string | null)[] =>
  running.world.calls.filter(({ query }) => query.includes('nick')).map(({ viewer }) => viewer);

test.each([
  [undefined, 'UNAUTHENTICATED'],
  ['Bearer ada other', 'FORBIDDEN'],
])(
  'a subscription that is not for %s is refused, and the subgraph hears nothing of it',
  async (authorization, code) => {
    const query = 'subscription { own(topic: "a") { n } }';
    const refused = await subscribe(query, authorization === undefined ? {} : { authorization });
    expect(refused.refusal).toMatchObject([{ extensions: { code } }]);
    const { body } = await fetch(gateway.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        ...(authorization === undefined ? {} : { authorization }),
      },
      body: JSON.stringify({ query }),
    });
    expect(await new Response(body).text()).toContain(`"code":"${code}"`);
    expect(running.world.opened).toEqual([]);
    await subscribe(query, { authorization: 'Bearer ada full' });
    await waitFor('the stream', () => running.world.open === 1);
  },
);

test('in every event what is not for the subscriber is null with an error, and nothing is fetched for it', async () => {
  const query = 'subscription { ticks(topic: "a") { n padding person { name nick } } }';
  const some = await subscribe(query, { authorization: 'Bearer ada' });
  await waitFor('the stream', () => running.world.open === 1);
  for (let n = 1; n <= 3; n++) {
    running.world.topic('a').append();
    await some.has(n);
  }
  for (const { data, errors } of some.frames) {
    expect(data?.['ticks']).toMatchObject({
      padding: null,
      person: { name: expect.any(String) as string, nick: null },
    });
    expect(errors?.map(({ path, extensions: { code } }) => [path, code])).toEqual([
      [['ticks', 'padding'], 'FORBIDDEN'],
      [['ticks', 'person', 'nick'], 'FORBIDDEN'],
    ]);
  }
  expect(askedForNicks()).toEqual([]);
});

test('subscribers of one public stream get what each of them may see, also where their fetches are merged', async () => {
  const query = 'subscription { news(topic: "a") { n padding person { name nick } } }';
  const full = await subscribe(query, { authorization: 'Bearer ada full' });
  const other = await subscribe(query, { authorization: 'Bearer bob' });
  const nobody = await subscribe(query);
  await waitFor('the streams', () => running.world.open === 3);
  for (let n = 1; n <= 3; n++) running.world.topic('a').append();
  for (const each of [full, other, nobody]) await each.has(3);
  const nicks = (of: typeof full): unknown[] =>
    of.values('person').map((person) => (person as { nick: unknown }).nick !== null);
  expect([nicks(full), nicks(other), nicks(nobody)]).toEqual([
    [true, true, true],
    [false, false, false],
    [false, false, false],
  ]);
  expect([full.values('padding'), other.values('padding')]).toEqual([
    ['xxx', 'xxx', 'xxx'],
    [null, null, null],
  ]);
  expect(new Set(askedForNicks())).toEqual(new Set(['ada']));
});

test('fetches of one viewer with different operations are merged without showing more', async () => {
  const some = await subscribe('subscription { ticks(topic: "a") { person { name } } }', {
    authorization: 'Bearer ada',
  });
  const query = 'subscription { ticks(topic: "a") { person { nick greeting } } }';
  const more = await subscribe(query, { authorization: 'Bearer ada', on: some.socket, id: 't' });
  await waitFor('the stream', () => running.world.open >= 1);
  running.world.topic('a').append();
  await some.has(1);
  await more.has(1);
  expect(more.values('person')).toEqual([{ nick: null, greeting: expect.stringContaining('greets') as string }]);
  expect(askedForNicks()).toEqual([]);
});

test.each([
  ['fewer', 'Bearer ada full', 'Bearer ada'],
  ['more', 'Bearer ada', 'Bearer ada full'],
])('a token with %s scopes ends the subscriptions for which that matters, and no others', async (_, before, after) => {
  const some = await subscribe('subscription { ticks(topic: "a") { person { nick } } }', { authorization: before });
  const open = await subscribe('subscription { latestTicks(topic: "a") { n } }', {
    authorization: before,
    on: some.socket,
    id: 't',
  });
  await waitFor('the streams', () => running.world.open === 2);
  some.socket.send({ type: 'ping', payload: { authorization: after } });
  await some.socket.receive('complete', 's');
  expect(some.frames).toMatchObject([{ data: null, errors: [{ extensions: { code: 'SUBSCRIPTION_INVALID' } }] }]);
  running.world.topic('a').append();
  await open.has(1);
  const again = await subscribe('subscription { ticks(topic: "a") { person { nick } } }', { on: some.socket, id: 'u' });
  await waitFor('the stream', () => running.world.open === 2);
  running.world.topic('a').append();
  await again.has(1);
  const [person] = again.values('person') as { nick: string | null }[];
  expect(person!.nick === null).toBe(after === 'Bearer ada');
});

test('of two renewals the later one counts, also when the policies of the earlier one are decided last', async () => {
  const withPolicy = {
    people: linkedPolicy(STREAM_TYPES.people).replace('nick: String', '$& @policy(policies: [["all"]])'),
  };
  let isDecided = (): void => {};
  const decided = new Promise<void>((resolve) => (isDecided = resolve));
  const own = await running.aGateway({
    authenticate,
    supergraphSdl: streamSupergraph({}, withPolicy),
    authorization: {
      policies: async (names, { identity }) => {
        if (identity.viewer?.scopes.includes('earlier')) await decided;
        return names;
      },
    },
  });
  const query = 'subscription { ticks(topic: "a") { person { nick } } }';
  const some = await subscribeTo(own, query, { authorization: 'Bearer ada first' });
  await waitFor('the stream', () => running.world.open === 1);
  for (const scope of ['earlier', 'later'])
    some.socket.send({ type: 'ping', payload: { authorization: `Bearer ada ${scope}` } });
  await waitFor('the stream of the later one', () => running.world.opened.length === 2 && running.world.open === 1);
  isDecided();
  // The answer to it comes after whatever the decision has caused.
  const other = await subscribeTo(own, query, { on: some.socket, id: 't' });
  running.world.topic('a').append();
  await other.has(1);
  await some.has(1);
  expect(running.world.opened).toHaveLength(2);
});

test('a supergraph that comes with rules holds for subscriptions that are open', async () => {
  const plain = await running.aGateway({ authenticate });
  const some = await subscribeTo(plain, 'subscription { ticks(topic: "a") { person { nick } } }', {
    authorization: 'Bearer ada',
  });
  await waitFor('the stream', () => running.world.open === 1);
  running.world.topic('a').append();
  await some.has(1);
  await plain.gateway.update(SUPERGRAPH);
  // What is asked of the subgraph has changed, so there is another stream, and a frame that says so.
  await waitFor('the other stream', () => running.world.opened.length === 2 && running.world.open === 1);
  await some.has(2);
  running.world.topic('a').append();
  await some.has(3);
  const nicks = some.values('person').map((person) => (person as { nick: unknown }).nick);
  expect(nicks).toEqual([expect.any(String), null]);
});
