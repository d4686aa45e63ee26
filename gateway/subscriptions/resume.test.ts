import { waitFor } from '../../platform/testing/wait';
import { runningStreams, type RunningStreams, type StreamGateway } from '../testing/streams';
import { subscribeTo } from '../testing/subscriber';

let running: RunningStreams;
let gateway: StreamGateway;
beforeEach(async () => {
  running = await runningStreams('over HTTP');
  gateway = await running.aGateway();
});
afterEach(() => running[Symbol.asyncDispose]());

const ENTRIES =
  'subscription ($t: ID!, $after: String, $snapshot: Boolean) { entries(topic: $t, after: $after, snapshot: $snapshot) { ... on Entry { n } } }';
const entries = (options: { after?: string; snapshot?: boolean; extensions?: object; on?: StreamGateway } = {}) => {
  const { on = gateway, extensions, ...variables } = options;
  return subscribeTo(on, ENTRIES, { variables: { t: 'a', ...variables }, ...(extensions ? { extensions } : {}) });
};
const append = (count: number, topic = 'a'): void => {
  for (let index = 0; index < count; index++) running.world.topic(topic).append();
};

describe('a field whose subgraph offers cursors', () => {
  test('does not mind names in the operation that look like ours', async () => {
    append(1);
    const query =
      'subscription ($sauti_after: ID!) { entries(topic: $sauti_after) { ... on Entry { sauti_cursor_0: key n } } }';
    const all = await subscribeTo(gateway, query, { variables: { sauti_after: 'a' } });
    await all.has(1);
    expect(all.frames).toEqual([
      { data: { entries: { sauti_cursor_0: 'only', n: 1 } }, extensions: { cursor: 'a:1' } },
    ]);
  });

  test('gives each event a cursor of its own, which the client need not select', async () => {
    append(2);
    const all = await entries();
    await all.has(2);
    expect(all.frames).toEqual([
      { data: { entries: { n: 1 } }, extensions: { cursor: 'a:1' } },
      { data: { entries: { n: 2 } }, extensions: { cursor: 'a:2' } },
    ]);
  });

  test.each([
    ['extensions.cursor', { extensions: { cursor: 'a:2' } }],
    ['the argument', { after: 'a:2' }],
    ['extensions.cursor before the argument', { after: 'a:0', extensions: { cursor: 'a:2' } }],
  ])('goes on behind %s', async (_, options) => {
    append(3);
    const all = await entries(options);
    await all.has(1);
    append(1);
    await all.has(2);
    expect(all.values('n')).toEqual([3, 4]);
  });

  test('goes on at another gateway', async () => {
    append(2);
    const first = await entries();
    await first.has(2);
    first.socket.socket.terminate();
    append(2);
    const other = await running.aGateway();
    const second = await entries({ extensions: { cursor: first.cursor }, on: other });
    await second.has(2);
    expect(second.values('n')).toEqual([3, 4]);
  });

  test('serves those who come late from the stream of the others, and those who were away as well', async () => {
    append(3);
    const first = await entries();
    await first.has(3);
    const late = await entries();
    const back = await entries({ extensions: { cursor: 'a:2' } });
    append(2);
    for (const each of [first, late]) {
      await each.has(5);
      expect(each.values('n')).toEqual([1, 2, 3, 4, 5]);
    }
    await back.has(3);
    expect(back.values('n')).toEqual([3, 4, 5]);
    expect(running.world.opened).toHaveLength(1);
  });

  test('answers each event once for all, wherever they came from', async () => {
    append(3);
    const query =
      'subscription ($after: String) { entries(topic: "a", after: $after) { ... on Entry { n person { name } } } }';
    const all = [];
    for (const after of [null, 'a:1', 'a:2', 'a:3'])
      all.push(await subscribeTo(gateway, query, { variables: { after } }));
    await all[0]!.has(3);
    await waitFor('one stream', () => running.world.open === 1);
    const before = running.world.calls.length;
    append(1);
    for (const each of all) await waitFor('the last', () => each.values('n').includes(4));
    expect(running.world.calls.length - before).toBe(1);
  });

  test('of which the window has lost the beginning is read in a second stream, which joins the first when it has caught up', async () => {
    await gateway[Symbol.asyncDispose]();
    gateway = await running.aGateway({ subscriptions: { replayEvents: 16 } });
    append(40);
    const first = await entries();
    await first.has(40);
    const late = await entries();
    await late.has(40);
    append(1);
    await first.has(41);
    await late.has(41);
    await waitFor('one stream', () => running.world.open === 1);
    append(10);
    await late.has(51);
    await first.has(51);
    for (const each of [first, late])
      expect(each.values('n')).toEqual(Array.from({ length: 51 }, (_, index) => index + 1));
    expect(running.world.opened.map(({ after }) => after)).toEqual([null, null]);
  });

  test('says which events are gone, once, and goes on', async () => {
    append(5);
    running.world.topic('a').prune(3);
    const all = await entries({ extensions: { cursor: 'a:1' } });
    await all.has(3);
    expect(all.frames).toEqual([
      { data: { entries: {} }, extensions: { cursor: 'a:3', gap: { reason: 'CURSOR_EXPIRED', missed: 2 } } },
      { data: { entries: { n: 4 } }, extensions: { cursor: 'a:4' } },
      { data: { entries: { n: 5 } }, extensions: { cursor: 'a:5' } },
    ]);
  });

  test('refuses a cursor of another topic with the subgraph’s words', async () => {
    const all = await entries({ extensions: { cursor: 'b:1' } });
    await waitFor('the end', () => all.isComplete);
    expect(all.frames[0]?.errors?.[0]).toMatchObject({ extensions: { code: 'BAD_USER_INPUT' }, path: ['entries'] });
    expect(all.frames[0]?.extensions).toBeUndefined();
  });

  test('begins with the present state when asked to, and goes on from exactly there', async () => {
    for (const key of ['x', 'y', 'x']) running.world.topic('a').append(key);
    const live = await entries();
    const asking = [{ extensions: { snapshot: true } }, { snapshot: true }];
    const all = await Promise.all(asking.map((options) => entries(options)));
    for (const each of all) {
      await each.has(2);
      expect(each.frames).toEqual([
        { data: { entries: { n: 2 } }, extensions: { cursor: 'a:2', snapshot: true } },
        { data: { entries: { n: 3 } }, extensions: { cursor: 'a:3', snapshot: true } },
      ]);
    }
    append(2);
    for (const each of all) {
      await each.has(4);
      expect(each.frames.slice(2).map(({ extensions }) => extensions)).toEqual([{ cursor: 'a:4' }, { cursor: 'a:5' }]);
    }
    await live.has(5);
    expect(live.values('n')).toEqual([1, 2, 3, 4, 5]);
    await waitFor('one stream', () => running.world.open === 1);
  });

  test('whose stream begins with the present state gives it to each who comes', async () => {
    running.world.topic('a').append('x');
    const states = () => subscribeTo(gateway, 'subscription { states(topic: "a") { ... on Entry { n } } }');
    const first = await states();
    await first.has(1);
    const same = await states();
    await same.has(1);
    expect(running.world.opened).toHaveLength(1);
    running.world.topic('a').append('x');
    await first.has(2);
    const late = await states();
    await late.has(1);
    running.world.topic('a').append('x');
    for (const each of [first, same, late]) await waitFor('the last', () => each.values('n').includes(3));
    expect(first.values('n')).toEqual([1, 2, 3]);
    expect(late.frames.map(({ extensions, data }) => [extensions?.snapshot ?? false, data?.['states']?.['n']])).toEqual(
      [
        [true, 2],
        [false, 3],
      ],
    );
    await waitFor('one stream', () => running.world.open === 1);
  });
});

describe('a field without cursors', () => {
  const TICKS = 'subscription { ticks(topic: "a") { n } }';
  const ticks = (cursor?: string, on = gateway) =>
    subscribeTo(on, TICKS, cursor === undefined ? {} : { extensions: { cursor } });

  test('goes on behind the cursor of the gateway, also when nobody was there in between', async () => {
    const first = await ticks();
    await waitFor('the stream', () => running.world.open === 1);
    append(2);
    await first.has(2);
    first.socket.socket.terminate();
    await waitFor('that to be noticed', () => gateway.gateway.subscriptions.subscriptions === 0);
    append(2);
    const second = await ticks(first.cursor);
    await second.has(2);
    append(1);
    await second.has(3);
    expect(second.values('n')).toEqual([3, 4, 5]);
    expect(running.world.opened).toHaveLength(1);
  });

  test('goes on as well when others left after the client was lost', async () => {
    const first = await ticks();
    const other = await ticks();
    await waitFor('the stream', () => running.world.open === 1);
    append(2);
    await first.has(2);
    await other.has(2);
    first.socket.socket.terminate();
    await waitFor('that to be noticed', () => gateway.gateway.subscriptions.subscriptions === 1);
    other.socket.send({ type: 'complete', id: 's' });
    await waitFor('the other to leave', () => gateway.gateway.subscriptions.subscriptions === 0);
    append(1);
    const second = await ticks(first.cursor);
    await second.has(1);
    expect(second.values('n')).toEqual([3]);
  });

  test('does not take a cursor of a stream that broke for one of the stream that came after it', async () => {
    const first = await ticks();
    await waitFor('the stream', () => running.world.open === 1);
    append(2);
    await first.has(2);
    const { cursor } = first;
    first.socket.socket.terminate();
    await waitFor('that to be noticed', () => gateway.gateway.subscriptions.subscriptions === 0);
    await running.kill('logs');
    await running.revive('logs');
    append(3);
    const other = await ticks();
    await waitFor('another stream', () => running.world.open === 1);
    append(4);
    await other.has(4);
    const second = await ticks(cursor);
    await second.has(1);
    append(1);
    await second.has(2);
    expect(second.frames[0]?.extensions?.gap).toEqual({ reason: 'RESTARTED', missed: null });
    expect(second.values('n')).toEqual([10]);
  });

  test('is not kept for more lost clients than there may be', async () => {
    await gateway[Symbol.asyncDispose]();
    gateway = await running.aGateway({ subscriptions: { maxLingering: 1 } });
    const topics = ['a', 'b', 'c'];
    for (const topic of topics) {
      const one = await subscribeTo(gateway, `subscription { ticks(topic: "${topic}") { n } }`);
      await waitFor('the stream', () => running.world.opened.at(-1)?.topic === topic);
      append(1, topic);
      await one.has(1);
      one.socket.socket.terminate();
      await waitFor('that to be noticed', () => gateway.gateway.subscriptions.subscriptions === 0);
    }
    await waitFor('one stream', () => running.world.open === 1);
  });

  test('says how many events the window has lost, once', async () => {
    await gateway[Symbol.asyncDispose]();
    gateway = await running.aGateway({ subscriptions: { replayEvents: 16 } });
    const first = await ticks();
    await waitFor('the stream', () => running.world.open === 1);
    append(2);
    await first.has(2);
    const { cursor } = first;
    append(20);
    await first.has(22);
    const second = await ticks(cursor);
    await second.has(17);
    expect(second.frames[0]).toEqual({
      data: null,
      extensions: { cursor: expect.any(String), gap: { reason: 'CURSOR_EXPIRED', missed: 4 } },
    });
    expect(second.values('n')).toEqual(Array.from({ length: 16 }, (_, index) => index + 7));
    const third = await ticks(second.frames[0]?.extensions?.cursor);
    await third.has(16);
    expect(third.values('n')).toEqual(second.values('n'));
  });

  test('says that nobody knows what was missed when something else is selected', async () => {
    const first = await ticks();
    await waitFor('the stream', () => running.world.open === 1);
    append(1);
    await first.has(1);
    const second = await subscribeTo(gateway, 'subscription { ticks(topic: "a") { n key } }', {
      extensions: { cursor: first.cursor },
    });
    await second.has(1);
    expect(second.frames[0]?.extensions?.gap).toEqual({ reason: 'RESTARTED', missed: null });
  });

  test('says that nobody knows what was missed when the gateway was another one', async () => {
    const first = await ticks();
    await waitFor('the stream', () => running.world.open === 1);
    append(1);
    await first.has(1);
    const other = await running.aGateway();
    const second = await ticks(first.cursor, other);
    await second.has(1);
    await waitFor('its stream', () => running.world.open === 2);
    append(1);
    await second.has(2);
    expect(second.frames).toEqual([
      { data: null, extensions: { cursor: expect.any(String), gap: { reason: 'RESTARTED', missed: null } } },
      { data: { ticks: { n: 2 } }, extensions: { cursor: expect.any(String) } },
    ]);
  });

  test.each([
    ['of another subscription', async () => (await seen('b')).cursor!],
    ['that is made up', async () => 'nonsense'],
    ['that is far too long', async () => 'x'.repeat(10_000)],
  ])('refuses a cursor %s', async (_, cursorOf) => {
    const all = await ticks(await cursorOf());
    expect(all.refusal).toEqual([
      { message: 'The cursor is not one of this subscription.', extensions: { code: 'BAD_USER_INPUT' } },
    ]);
  });

  test.each([
    ['a cursor that is no text', { cursor: 1 }, 'BAD_USER_INPUT'],
    ['a snapshot that is no Boolean', { snapshot: 'yes' }, 'BAD_USER_INPUT'],
    ['a snapshot where there is none', { snapshot: true }, 'SNAPSHOT_UNSUPPORTED'],
  ])('refuses %s', async (_, extensions, code) => {
    const all = await subscribeTo(gateway, TICKS, { extensions });
    expect(all.refusal).toMatchObject([{ extensions: { code } }]);
  });

  async function seen(topic: string) {
    const all = await subscribeTo(gateway, `subscription { ticks(topic: "${topic}") { n } }`);
    await waitFor('the stream', () => running.world.open === 1);
    append(1, topic);
    await all.has(1);
    return all;
  }
});
