import type { VerifiedToken } from '../../platform/identity/access-token';
import { waitFor } from '../../platform/testing/wait';
import type { Authenticate } from '../options';
import {
  runningStreams,
  STREAM_TYPES,
  streamSupergraph,
  type RunningStreams,
  type StreamGateway,
  type StreamSubgraph,
} from '../testing/streams';
import { subscribeTo } from '../testing/subscriber';

/** `Bearer ada 2` is the viewer ada with the scope 2. */
const authenticate: Authenticate = async (authorization): Promise<VerifiedToken | null> => {
  const [userId, ...scopes] = authorization?.replace('Bearer ', '').split('.') ?? [];
  if (userId === undefined) return null;
  return {
    viewer: { userId, sessionId: `s-${userId}`, scopes },
    issuedAt: new Date(),
    endsAt: new Date(Date.now() + 600_000),
  };
};

let running: RunningStreams;
let gateway: StreamGateway;
beforeEach(async () => {
  running = await runningStreams('over HTTP');
  gateway = await running.aGateway({ authenticate });
});
afterEach(() => running[Symbol.asyncDispose]());

const update = (types: Partial<Record<StreamSubgraph, string>>) =>
  gateway.gateway.update(streamSupergraph(running.urls, types));
const changed = (subgraph: StreamSubgraph, before: string, after: string) => {
  expect(STREAM_TYPES[subgraph]).toContain(before);
  return { [subgraph]: STREAM_TYPES[subgraph].replace(before, after) };
};
const counts = () => gateway.gateway.subscriptions;

describe('when the supergraph changes', () => {
  test.each([
    ['entries', 'subscription { entries(topic: "a") { ... on Entry { n person { name } } } }'],
    ['ticks', 'subscription { ticks(topic: "a") { n person { name } } }'],
  ])('subscriptions to %s keep their stream and lose nothing', async (_, query) => {
    const all = [await subscribeTo(gateway, query), await subscribeTo(gateway, query)];
    await waitFor('the stream', () => running.world.open === 1);
    running.world.topic('a').append();
    for (let round = 1; round <= 3; round++) {
      await update(changed('places', 'title: String!', `title: String!  extra${round}: String`));
      await waitFor('the move', () => counts().moved === 2 * round);
      running.world.topic('a').append();
    }
    for (const each of all) {
      await each.has(4);
      expect(each.values('n')).toEqual([1, 2, 3, 4]);
      expect(each.frames.every(({ errors }) => errors === undefined)).toBe(true);
    }
    expect(running.world.opened).toHaveLength(1);
  });

  test('many times, and while subscriptions are opened, all end up on the newest and lose nothing', async () => {
    const query = (name: string) =>
      `subscription ${name} { entries(topic: "a") { ... on Entry { n person { name } } } }`;
    running.world.topic('a').append();
    const all = [await subscribeTo(gateway, query('First'))];
    const updates = [1, 2, 3, 4, 5].map((round) =>
      update(changed('places', 'title: String!', `title: String!  extra${round}: String`)),
    );
    for (let index = 0; index < 5; index++) all.push(await subscribeTo(gateway, query(`Later${index}`)));
    await Promise.all(updates);
    // A field that only the newest supergraph lacks ends all of them: nobody was left behind.
    running.world.topic('a').append();
    for (const each of all) {
      await each.has(2);
      expect(each.values('n')).toEqual([1, 2]);
    }
    await update(changed('people', 'name: String! @public', ''));
    for (const each of all) await waitFor('the end', () => each.isComplete);
    expect(running.world.opened).toHaveLength(1);
  });

  test('those that are not valid any more end with a typed error, and the others go on', async () => {
    const gone = await subscribeTo(
      gateway,
      'subscription { entries(topic: "a") { ... on Entry { n person { nick } } } }',
    );
    const stays = await subscribeTo(
      gateway,
      'subscription { entries(topic: "a") { ... on Entry { n person { name } } } }',
    );
    await update(changed('people', 'nick: String', ''));
    await waitFor('the end', () => gone.isComplete);
    expect(gone.frames).toEqual([
      {
        data: null,
        errors: [
          { message: expect.stringContaining('schema has changed'), extensions: { code: 'SUBSCRIPTION_INVALID' } },
        ],
      },
    ]);
    running.world.topic('a').append();
    await stays.has(1);
    expect(stays.frames[0]?.errors).toBeUndefined();
    expect(stays.isComplete).toBe(false);
  });

  test.each([
    ['with cursors goes on behind its last event', 'entries', '... on Entry { n person { badge } }', ['null', 'a:1']],
    ['without cursors goes on from now and says so', 'ticks', 'n person { badge }', ['null', 'null']],
  ])('a subscription that asks its subgraph for something else %s', async (_, field, selection, started) => {
    // The subgraph "logs" answers badges, too, but the first supergraph does not know.
    const before = changed('logs', 'badge: String @shareable', '');
    const sdl = streamSupergraph(running.urls, before);
    gateway = await running.aGateway({ authenticate, supergraphSdl: sdl });
    const all = await subscribeTo(gateway, `subscription { ${field}(topic: "a") { ${selection} } }`);
    await waitFor('the stream', () => running.world.open === 1);
    running.world.topic('a').append();
    await all.has(1);
    expect(running.world.calls).toHaveLength(1);
    await gateway.gateway.update(running.supergraphSdl);
    await waitFor('the other stream', () => running.world.opened.length === 2 && running.world.open === 1);
    running.world.topic('a').append();
    await waitFor('the second event', () => all.values('n').length === 2);
    const told = all.frames.filter(({ extensions }) => extensions?.gap).map(({ extensions }) => extensions?.gap);
    expect(told).toEqual(field === 'ticks' ? [{ reason: 'RESTARTED', missed: null }] : []);
    expect(all.frames.filter(({ data }) => data !== null).map(({ data }) => data?.[field])).toEqual([
      { n: 1, person: { badge: 'Badge p1' } },
      { n: 2, person: { badge: 'Badge p2' } },
    ]);
    expect(running.world.calls).toHaveLength(1);
    expect(running.world.opened.map(({ after }) => String(after))).toEqual(started);
  });
});

test('a subscription without cursors that has to change its stream before its first event says that it may have missed some', async () => {
  gateway = await running.aGateway({
    authenticate,
    supergraphSdl: streamSupergraph(running.urls, changed('logs', 'badge: String @shareable', '')),
  });
  const all = await subscribeTo(gateway, 'subscription { ticks(topic: "a") { n person { badge } } }');
  await waitFor('the stream', () => running.world.open === 1);
  await gateway.gateway.update(running.supergraphSdl);
  await all.has(1);
  expect(all.frames[0]?.extensions?.gap).toEqual({ reason: 'RESTARTED', missed: null });
});

describe('when the viewer proves again who it is', () => {
  const renew = async (all: Awaited<ReturnType<typeof subscribeTo>>, authorization: string) => {
    const before = all.socket.messages.filter(({ type }) => type === 'pong').length;
    all.socket.send({ type: 'ping', payload: { authorization } });
    await waitFor('the answer', () => all.socket.messages.filter(({ type }) => type === 'pong').length > before);
    return all.socket.messages.filter(({ type }) => type === 'pong').at(-1)?.payload;
  };

  test.each(['ticks', 'own'])('with the same rights nothing changes for %s', async (field) => {
    const query = `subscription { ${field}(topic: "a") { n viewer } }`;
    const all = await subscribeTo(gateway, query, { authorization: 'ada' });
    await waitFor('the stream', () => running.world.open === 1);
    expect(await renew(all, 'Bearer ada')).toEqual({ renewedUntil: expect.any(String) });
    running.world.topic('a').append();
    await all.has(1);
    expect(running.world.opened).toHaveLength(1);
  });

  test('with other rights its subscriptions go on with those, behind the last event', async () => {
    const query = 'subscription { entries(topic: "a") { ... on Entry { n viewer } } }';
    const all = await subscribeTo(gateway, query, { authorization: 'ada.admin' });
    running.world.topic('a').append();
    await all.has(1);
    expect(await renew(all, 'Bearer ada')).toEqual({ renewedUntil: expect.any(String) });
    running.world.topic('a').append();
    await all.has(2);
    expect(all.values('n')).toEqual([1, 2]);
    expect(running.world.opened.map(({ after }) => after)).toEqual([null, 'a:1']);
    await waitFor('one stream', () => running.world.open === 1);
  });

  test('as somebody else it is refused, and goes on as before', async () => {
    const all = await subscribeTo(gateway, 'subscription { ticks(topic: "a") { viewer } }', { authorization: 'ada' });
    await waitFor('the stream', () => running.world.open === 1);
    expect(await renew(all, 'Bearer grace')).toMatchObject({ error: { code: expect.any(String) } });
    running.world.topic('a').append();
    await all.has(1);
    expect(all.values('viewer')).toEqual(['ada']);
  });
});

test('a user may have so many subscriptions, and all together so many; others are not concerned', async () => {
  const limited = await running.aGateway({ authenticate, limits: { maxSubscriptionsPerUser: 2, maxSubscriptions: 3 } });
  const query = 'subscription { ticks(topic: "a") { n } }';
  const as = (authorization: string) => subscribeTo(limited, query, { authorization });
  const first = await as('ada');
  await as('ada');
  const third = await as('ada');
  expect(third.refusal).toMatchObject([{ extensions: { code: 'SUBSCRIPTION_LIMIT' } }]);
  const grace = await as('grace');
  expect(grace.refusal).toBeUndefined();
  expect((await as('linus')).refusal).toMatchObject([{ extensions: { code: 'SUBSCRIPTION_LIMIT' } }]);
  first.socket.send({ type: 'complete', id: 's' });
  await waitFor('room', () => limited.gateway.subscriptions.subscriptions === 2);
  expect((await as('linus')).refusal).toBeUndefined();
});
