import type { VerifiedToken } from '../../platform/identity/access-token';
import { waitFor } from '../../platform/testing/wait';
import type { Authenticate } from '../options';
import { runningStreams, type RunningStreams, type StreamGateway } from '../testing/streams';
import { subscribeTo } from '../testing/subscriber';

/** `Bearer ada` is the viewer ada. */
const authenticate: Authenticate = async (authorization): Promise<VerifiedToken | null> => {
  const userId = authorization?.replace('Bearer ', '');
  if (userId === undefined) return null;
  return {
    viewer: { userId, sessionId: `s-${userId}`, scopes: [] },
    issuedAt: new Date(),
    endsAt: new Date(Date.now() + 600_000),
  };
};

let running: RunningStreams;
let gateway: StreamGateway;
beforeEach(async () => {
  running = await runningStreams('in process');
  gateway = await running.aGateway({ authenticate });
});
afterEach(() => running[Symbol.asyncDispose]());

const subscribe = (query: string, options: Parameters<typeof subscribeTo>[2] = {}) =>
  subscribeTo(gateway, query, options);

describe('one stream', () => {
  test('serves all who ask the same in the same name, and closes with the last of them', async () => {
    const query = 'subscription ($t: ID!) { ticks(topic: $t) { n viewer } }';
    const all = [];
    for (let index = 0; index < 5; index++)
      all.push(await subscribe(query, { variables: { t: 'a' }, authorization: 'ada' }));
    await waitFor('the stream', () => running.world.open === 1);
    running.world.topic('a').append();
    running.world.topic('a').append();
    for (const each of all) {
      await each.has(2);
      expect(each.values('n')).toEqual([1, 2]);
      expect(each.values('viewer')).toEqual(['ada', 'ada']);
    }
    expect(running.world.opened).toHaveLength(1);
    for (const { socket } of all) socket.send({ type: 'complete', id: 's' });
    await waitFor('its end', () => running.world.open === 0);
  });

  test('is for one viewer, one set of arguments and one selection at the subgraph', async () => {
    await subscribe('subscription { ticks(topic: "a") { n } }', { authorization: 'ada' });
    await subscribe('subscription { ticks(topic: "a") { n } }', { authorization: 'grace' });
    await subscribe('subscription { ticks(topic: "b") { n } }', { authorization: 'ada' });
    await subscribe('subscription { ticks(topic: "a") { n key } }', { authorization: 'ada' });
    await waitFor('the streams', () => running.world.open === 4);
    expect(running.world.opened.map(({ topic, viewer }) => `${topic} ${viewer}`).sort()).toEqual([
      'a ada',
      'a ada',
      'a grace',
      'b ada',
    ]);
  });

  test('is for all names that clients give to their operation', async () => {
    await subscribe('subscription First { ticks(topic: "a") { n } }');
    await subscribe('subscription Second { ticks(topic: "a") { n } }');
    await waitFor('the stream', () => running.world.open === 1);
    expect(running.world.opened).toHaveLength(1);
  });

  test('of a public field is opened for everybody, in nobody’s name', async () => {
    const ada = await subscribe('subscription { news(topic: "a") { n viewer } }', { authorization: 'ada' });
    const grace = await subscribe('subscription { news(topic: "a") { n viewer } }', { authorization: 'grace' });
    await waitFor('the stream', () => running.world.open === 1);
    running.world.topic('a').append();
    await ada.has(1);
    await grace.has(1);
    expect(grace.frames[0]?.data).toEqual({ news: { n: 1, viewer: null } });
    expect(running.world.opened).toEqual([expect.objectContaining({ viewer: null })]);
  });

  test('is not shared where the field says so', async () => {
    for (let index = 0; index < 3; index++) await subscribe('subscription { own(topic: "a") { n } }');
    await waitFor('the streams', () => running.world.open === 3);
  });
});

describe('the fetches of one event', () => {
  test('are made once for equal operations', async () => {
    const query = 'subscription { ticks(topic: "a") { n person { name } place { title } } }';
    const all = [await subscribe(query), await subscribe(query), await subscribe(query)];
    await waitFor('the stream', () => running.world.open === 1);
    running.world.topic('a').append();
    for (const each of all) {
      await each.has(1);
      expect(each.frames[0]?.data).toEqual({
        ticks: { n: 1, person: { name: 'Person p1' }, place: { title: 'Place l1' } },
      });
    }
    expect(running.world.calls.map(({ subgraph }) => subgraph).sort()).toEqual(['people', 'places']);
  });

  test('of different operations leave as one request for each subgraph', async () => {
    const selections = [
      'person { name }',
      'person { name nick }',
      'person { greeting(to: "ada") }',
      'person { greeting(to: "grace") alias: nick }',
      'person { fails name }',
    ];
    const all = [];
    for (const selection of selections)
      all.push(await subscribe(`subscription { ticks(topic: "a") { n ${selection} } }`, { authorization: 'ada' }));
    await waitFor('the stream', () => running.world.open === 1);
    running.world.topic('a').append();
    for (const each of all) await each.has(1);
    expect(all.map(({ frames }) => frames[0]?.data?.['ticks']?.['person'])).toEqual([
      { name: 'Person p1' },
      { name: 'Person p1', nick: 'Nick p1' },
      { greeting: 'p1 greets ada' },
      { greeting: 'p1 greets grace', alias: 'Nick p1' },
      { fails: null, name: 'Person p1' },
    ]);
    expect(all.map(({ frames }) => frames[0]?.errors?.length ?? 0)).toEqual([0, 0, 0, 0, 1]);
    expect(all[4]?.frames[0]?.errors?.[0]).toMatchObject({
      path: ['ticks', 'person', 'fails'],
      extensions: { code: 'FORBIDDEN' },
    });
    expect(running.world.calls).toHaveLength(1);
  });

  test('are made for each viewer of a public stream, unless what they select is public, too', async () => {
    const names = ['ada', 'grace', 'linus'];
    const people = [];
    for (const authorization of names)
      people.push(await subscribe('subscription { news(topic: "a") { person { seenBy } } }', { authorization }));
    for (const authorization of names)
      await subscribe('subscription { news(topic: "b") { person { name } place { title country } } }', {
        authorization,
      });
    await waitFor('the streams', () => running.world.open === 2);
    running.world.topic('a').append();
    for (const each of people) await each.has(1);
    expect(people.map(({ frames }) => frames[0]?.data?.['news'])).toEqual(
      names.map((seenBy) => ({ person: { seenBy } })),
    );
    expect(running.world.calls).toHaveLength(3);
    running.world.calls.length = 0;
    running.world.topic('b').append();
    await waitFor('the fetches', () => running.world.calls.length >= 2);
    expect(running.world.calls.map(({ subgraph }) => subgraph).sort()).toEqual(['people', 'places']);
    expect(running.world.calls.map(({ viewer }) => viewer)).toEqual([null, null]);
  });

  test('do not change the order of events when an early one takes long', async () => {
    let release = (): void => {};
    const all = await subscribe('subscription { ticks(topic: "a") { n person { held } } }');
    await waitFor('the stream', () => running.world.open === 1);
    running.world.hold = new Promise((resolve) => (release = resolve));
    running.world.topic('a').append();
    await waitFor('its fetch', () => running.world.calls.length === 1);
    running.world.hold = undefined;
    running.world.topic('a').append();
    running.world.topic('a').append();
    await waitFor('theirs', () => running.world.calls.length === 3);
    expect(all.frames).toHaveLength(0);
    release();
    await all.has(3);
    expect(all.values('n')).toEqual([1, 2, 3]);
  });
});
