import { waitFor } from '../../platform/testing/wait';
import { runningStreams, type RunningStreams, type StreamGateway } from '../testing/streams';
import { openStream } from '../testing/event-stream';
import { subscribeTo, type StreamFrame, type Subscriber } from '../testing/subscriber';

let running: RunningStreams;
let gateway: StreamGateway;
beforeEach(async () => {
  running = await runningStreams('in process');
  gateway = await running.aGateway({ subscriptions: { stallMs: 60_000 } });
});
afterEach(() => running[Symbol.asyncDispose]());

const field = (name: string, selection: string) => `subscription { ${name}(topic: "a") { ${selection} } }`;
const entries = field('entries', '... on Entry { n padding }');
const ticks = field('ticks', 'n padding');
const latestTicks = field('latestTicks', 'n key padding');

/** Appends events until the client that does not read has no room any more. */
async function fill(subscriber: Subscriber, key = 'x'): Promise<void> {
  running.world.padding = 100_000;
  subscriber.socket.socket.pause();
  await waitFor('a full connection', () => {
    running.world.topic('a').append(key);
    return gateway.gateway.subscriptions.waiting > 0;
  });
}

describe('a client that does not read', () => {
  test('holds back its own stream, and gets everything when it reads again', async () => {
    const slow = await subscribeTo(gateway, ticks);
    await waitFor('the stream', () => running.world.open === 1);
    await fill(slow);
    const sent = running.world.sent;
    for (let index = 0; index < 40; index++) running.world.topic('a').append();
    slow.socket.socket.resume();
    const { head } = running.world.topic('a');
    await slow.has(head);
    expect(sent).toBeLessThan(head);
    expect(slow.values('n')).toEqual(Array.from({ length: head }, (_, index) => index + 1));
  });

  test('does not hold back others, who share the stream, and reads on from its cursor in another one', async () => {
    const slow = await subscribeTo(gateway, entries);
    const honest = await subscribeTo(gateway, entries);
    await fill(slow);
    for (let index = 0; index < 60; index++) running.world.topic('a').append();
    const { head } = running.world.topic('a');
    await honest.has(head);
    slow.socket.socket.resume();
    await slow.has(head);
    running.world.topic('a').append();
    for (const each of [slow, honest]) {
      await each.has(head + 1);
      expect(each.values('n')).toEqual(Array.from({ length: head + 1 }, (_, index) => index + 1));
    }
    expect(running.world.opened.length).toBeGreaterThan(1);
    await waitFor('one stream', () => running.world.open === 1);
  });

  test('is closed with 4413 and its cursor where its stream cannot be read again', async () => {
    const slow = await subscribeTo(gateway, ticks);
    const honest = await subscribeTo(gateway, ticks);
    await waitFor('the stream', () => running.world.open === 1);
    await fill(slow);
    for (let index = 0; index < 60; index++) running.world.topic('a').append();
    await honest.has(running.world.topic('a').head);
    slow.socket.socket.resume();
    const closed = await slow.socket.closed;
    expect(closed).toEqual({ code: 4413, reason: `Too slow; resume after ${slow.cursor}` });
    const back = await subscribeTo(gateway, ticks, { extensions: { cursor: slow.cursor } });
    await back.has(1);
    const missed = back.frames[0]?.extensions?.gap?.missed ?? 0;
    expect(back.frames[0]).toMatchObject({ data: null, extensions: { gap: { reason: 'CURSOR_EXPIRED' } } });
    await waitFor('the rest', () => back.values('n').includes(running.world.topic('a').head));
    expect(slow.values('n').length + missed + back.values('n').length).toBe(running.world.topic('a').head);
  });

  test('gets only the newest of each key where the field says so', async () => {
    const slow = await subscribeTo(gateway, latestTicks);
    const honest = await subscribeTo(gateway, latestTicks);
    await waitFor('the stream', () => running.world.open === 1);
    await fill(slow);
    for (let index = 0; index < 60; index++) running.world.topic('a').append(index % 2 === 0 ? 'x' : 'y');
    const { head } = running.world.topic('a');
    await honest.has(head);
    slow.socket.socket.resume();
    await waitFor('the newest', () => slow.values('n').includes(head));
    expect(honest.values('n')).toEqual(Array.from({ length: head }, (_, index) => index + 1));
    expect(slow.values('n').slice(-2)).toEqual([head - 1, head]);
    expect(slow.values('n').length).toBeLessThan(head - 40);
    expect(gateway.gateway.subscriptions.coalesced).toBeGreaterThan(40);
    running.world.topic('a').append('x');
    await waitFor('the next', () => slow.values('n').includes(head + 1));
  });

  test('and takes nothing for too long is closed', async () => {
    const impatient = await running.aGateway({ subscriptions: { stallMs: 300 } });
    gateway = impatient;
    const slow = await subscribeTo(impatient, entries);
    await fill(slow);
    await waitFor('its end', () => impatient.gateway.subscriptions.subscriptions === 0);
    expect(impatient.gateway.subscriptions.tooSlow).toBe(1);
    slow.socket.socket.resume();
    expect((await slow.socket.closed).code).toBe(4413);
  });
});

test('a client that had no room before its first event is told how many it missed, where there is no cursor to go on from', async () => {
  const since = 'subscription { since(topic: "b") { ... on Entry { n } } }';
  const honest = await subscribeTo(gateway, since);
  // An event stream that nobody reads yet.
  const token = await (await fetch(gateway.url, { method: 'PUT' })).text();
  const headers = { 'content-type': 'application/json', 'x-graphql-event-stream-token': token };
  const ask = async (query: string, operationId: string) => {
    const body = JSON.stringify({ query, extensions: { operationId } });
    expect((await fetch(gateway.url, { method: 'POST', headers, body })).status).toBe(202);
  };
  await ask(entries, 'full');
  running.world.padding = 100_000;
  await waitFor('a full connection', () => {
    running.world.topic('a').append();
    return gateway.gateway.subscriptions.waiting > 0;
  });
  await ask(since, 'late');
  await waitFor('both', () => gateway.gateway.subscriptions.waiting === 2);
  for (let index = 0; index < 300; index++) running.world.topic('b').append();
  await honest.has(300);
  const stream = await openStream(gateway.url, { headers: { ...headers, accept: 'text/event-stream' } });
  const late = () =>
    stream.results.filter((each) => (each as { id: string }).id === 'late') as { payload: StreamFrame }[];
  await waitFor('the last', () => late().some(({ payload }) => payload.data?.['since']?.['n'] === 300));
  const { missed, reason } = late()[0]!.payload.extensions!.gap!;
  expect(reason).toBe('CONSUMER_TOO_SLOW');
  expect(missed! + late().length - 1).toBe(300);
  stream.close();
});

test('who comes while nobody has room gets what happens from now on, and nothing older', async () => {
  const slow = await subscribeTo(gateway, ticks);
  await waitFor('the stream', () => running.world.open === 1);
  await fill(slow);
  for (let index = 0; index < 50; index++) running.world.topic('a').append();
  const { head } = running.world.topic('a');
  const late = await subscribeTo(gateway, ticks);
  await waitFor('a stream of its own', () => running.world.open === 2);
  running.world.topic('a').append();
  await late.has(1);
  expect(late.values('n')).toEqual([head + 1]);
  slow.socket.socket.resume();
});

test('a stream whose subscribers all have no room takes no more events', async () => {
  const slow = [await subscribeTo(gateway, entries), await subscribeTo(gateway, entries)];
  for (const each of slow) each.socket.socket.pause();
  running.world.padding = 100_000;
  await waitFor('two full connections', () => {
    running.world.topic('a').append();
    return gateway.gateway.subscriptions.waiting === 2;
  });
  const { events } = gateway.gateway.subscriptions;
  for (let index = 0; index < 100; index++) running.world.topic('a').append();
  const other = await subscribeTo(gateway, field('entries', '... on Entry { n }'));
  await other.has(running.world.topic('a').head);
  expect(gateway.gateway.subscriptions.events - other.frames.length - events).toBeLessThan(20);
});
