import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import { newId } from '../../../../platform/ids';
import type { Platform } from '../../../../platform/platform';
import { fakeIntervals } from '../../../../platform/testing/fake-intervals';
import { openTestPlatform, type TestPlatform } from '../../../../platform/testing/platform';
import { waitFor } from '../../../../platform/testing/wait';
import { MEDIA_MODELS } from '../../records';
import { AudioStore } from './audio-store';
import { LIVE_PROTOCOL } from './frames';
import { IngestTokens } from './ingest-token';
import { aLiveSession } from '../testing-sessions';
import {
  aSocket,
  aWriter,
  frameOf,
  hear,
  pcm,
  servedIngest,
  sessionRow,
  storedAudio,
  type IngestServer,
} from './testing';

let opened: TestPlatform;
let platform: Platform;
let server: IngestServer;
beforeAll(async () => {
  opened = await openTestPlatform();
  platform = opened.platform;
  server = await servedIngest(platform);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await opened[Symbol.asyncDispose]();
});
afterEach(() => jest.useRealTimers());

/** The size that unheard audio may have: 30 s at 16 kHz. */
const MAX_UNHEARD = 960_000;
/** What may wait to be stored, and what one read of the connection brings behind it. */
const MAX_GROUP = 256 * 1024 + 2 * 64 * 1024;

describe('a writer', () => {
  test('says start, and has every chunk acknowledged once it is stored', async () => {
    const id = await aLiveSession(platform);
    const writer = await aSocket(server.port, id, { protocol: LIVE_PROTOCOL });
    expect(writer.socket.protocol).toBe(LIVE_PROTOCOL);
    writer.say({ type: 'start', token: server.token(id) });
    expect(await writer.receive('ready')).toEqual({
      type: 'ready',
      acknowledgedSequence: 0,
      maxChunkBytes: 32_000,
      maxChunkMs: 1_000,
    });
    for (let sequence = 1; sequence <= 20; sequence++) writer.send(sequence, pcm(100, sequence));
    await writer.acknowledged(20);
    writer.say({ type: 'flush' });
    await writer.receive('flushed');
    writer.send(21, pcm(100, 21));
    writer.say({ type: 'end' });
    expect(await writer.receive('ended')).toEqual({ type: 'ended', acknowledgedSequence: 21 });
    expect(await writer.closed).toBe(1000);
    const expected = Array.from({ length: 21 }, (_, index) => pcm(100, index + 1));
    expect(await storedAudio(platform, id)).toEqual(Buffer.concat(expected));
    expect(await sessionRow(platform, id)).toMatchObject({ state: 'ENDING', isComplete: true });
    await waitFor('it to be forgotten', async () => (await sessionRow(platform, id)).writerSeenAt === null);
  });

  test('with its token at the upgrade needs no start', async () => {
    const id = await aLiveSession(platform);
    const writer = await aSocket(server.port, id, { headers: { authorization: `Bearer ${server.token(id)}` } });
    await writer.receive('ready');
    writer.send(1, pcm(100));
    await writer.acknowledged(1);
    writer.say({ type: 'start', token: server.token(id) });
    expect(await writer.closed).toBe(4400);
  });

  test('that does not wait for ready loses nothing', async () => {
    const id = await aLiveSession(platform);
    const writer = await aSocket(server.port, id);
    writer.say({ type: 'start', token: server.token(id) });
    for (let sequence = 1; sequence <= 5; sequence++) writer.send(sequence, pcm(20, sequence));
    writer.say({ type: 'end' });
    expect(await writer.closed).toBe(1000);
    expect((await storedAudio(platform, id)).length).toBe(3_200);
  });

  test('goes on from acknowledgedSequence + 1 after a drop; what it repeats is stored once', async () => {
    const id = await aLiveSession(platform);
    const first = await aWriter(server, id);
    for (let sequence = 1; sequence <= 3; sequence++) first.send(sequence, pcm(100, sequence));
    await first.acknowledged(3);
    first.socket.terminate();
    const second = await aSocket(server.port, id);
    second.say({ type: 'start', token: server.token(id) });
    expect((await second.receive('ready')).acknowledgedSequence).toBe(3);
    for (let sequence = 2; sequence <= 5; sequence++) second.send(sequence, pcm(100, sequence));
    await second.acknowledged(5);
    second.socket.close();
    const expected = Array.from({ length: 5 }, (_, index) => pcm(100, index + 1));
    expect(await storedAudio(platform, id)).toEqual(Buffer.concat(expected));
  });

  test('that leaves has what had arrived stored, and its session goes on', async () => {
    const id = await aLiveSession(platform);
    const writer = await aWriter(server, id);
    for (let sequence = 1; sequence <= 50; sequence++) writer.send(sequence, pcm(20, sequence));
    writer.socket.close();
    await waitFor('all of it', async () => (await storedAudio(platform, id)).length === 50 * 640);
    await waitFor('the writer to be forgotten', async () => (await sessionRow(platform, id)).writerSeenAt === null);
    expect(await sessionRow(platform, id)).toMatchObject({ state: 'LIVE', isComplete: false });
  });
});

describe('a token', () => {
  const refused = async (id: string, token: string): Promise<unknown> => {
    const writer = await aSocket(server.port, id);
    writer.say({ type: 'start', token });
    const code = await writer.closed;
    return { code, messages: writer.messages };
  };

  test('that is wrong, of another session, used or expired, and a session that is unknown, are answered alike', async () => {
    const id = await aLiveSession(platform);
    const unknown = newId('liv');
    const used = server.token(id);
    const older = server.token(id);
    const writer = await aSocket(server.port, id);
    const newer = server.token(id);
    writer.say({ type: 'start', token: newer });
    await writer.receive('ready');
    const expired = new IngestTokens(platform.secret, () => Date.now() - 61_000).make(id).token;
    const forged = `${server.token(id).slice(0, -5)}AAAAA`;
    const foreign = server.token(await aLiveSession(platform));
    const answers = [];
    for (const token of [used, older, newer, expired, forged, foreign, 'nonsense', ''])
      answers.push(await refused(id, token));
    answers.push(await refused(unknown, foreign), await refused(unknown, server.token(unknown)));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]).toMatchObject({ code: 4401, messages: [{ type: 'error', code: 'UNAUTHENTICATED' }] });
    writer.send(1, pcm(100));
    await writer.acknowledged(1); // nobody has disturbed the one who is in
  });

  test('that does not come in time closes the socket', async () => {
    await using hasty = await servedIngest(platform, { startWithinMs: 50 });
    const writer = await aSocket(hasty.port, await aLiveSession(platform));
    expect(await writer.closed).toBe(4408);
  });

  test('at the upgrade is as good or bad as in a start', async () => {
    const id = await aLiveSession(platform);
    const writer = await aSocket(server.port, id, { headers: { authorization: 'Bearer nonsense' } });
    expect(await writer.closed).toBe(4401);
  });
});

describe('bad input', () => {
  const odd = frameOf(1, Buffer.alloc(3));
  test.each<[what: string, message: Buffer | string, code: number, problem: object]>([
    ['a gap', frameOf(2, pcm(10)), 4400, { code: 'CONFLICT', expectedSequence: 1 }],
    ['text that is no JSON', 'garbage', 4400, { code: 'BAD_REQUEST' }],
    ['JSON of another shape', '{"type":"flush me"}', 4400, { code: 'BAD_REQUEST' }],
    ['JSON that is no object', '[]', 4400, { code: 'BAD_REQUEST' }],
    ['an empty binary message', Buffer.alloc(0), 4400, { code: 'BAD_REQUEST' }],
    ['a binary message of 3 bytes', Buffer.alloc(3), 4400, { code: 'BAD_REQUEST' }],
    ['a number without audio', frameOf(1, Buffer.alloc(0)), 4400, { code: 'BAD_REQUEST' }],
    ['the number 0', frameOf(0, pcm(10)), 4400, { code: 'BAD_REQUEST' }],
    ['the greatest number', frameOf(0xffff_ffff, pcm(10)), 4400, { code: 'BAD_REQUEST' }],
    ['half a sample', odd, 4400, { code: 'INVALID_INPUT' }],
    ['more than a second', frameOf(1, pcm(1_001)), 4400, { code: 'INVALID_INPUT' }],
  ])('%s closes the socket and says why; nothing of it is stored', async (_what, message, code, problem) => {
    const id = await aLiveSession(platform);
    const writer = await aWriter(server, id);
    writer.socket.send(message);
    expect(await writer.closed).toBe(code);
    expect(writer.messages.at(-1)).toMatchObject({ type: 'error', ...problem });
    expect(await storedAudio(platform, id)).toHaveLength(0);
  });

  test('what comes before the bad message is stored', async () => {
    const id = await aLiveSession(platform);
    const writer = await aWriter(server, id);
    writer.send(1, pcm(100, 1));
    writer.send(2, pcm(100, 2));
    writer.socket.send(frameOf(3, Buffer.alloc(3)));
    expect(await writer.closed).toBe(4400);
    expect(await storedAudio(platform, id)).toEqual(Buffer.concat([pcm(100, 1), pcm(100, 2)]));
  });

  test('what comes before a gap is stored, also when all of it comes together', async () => {
    const id = await aLiveSession(platform);
    const writer = await aWriter(server, id);
    for (const sequence of [1, 2, 4, 5]) writer.send(sequence, pcm(100, sequence));
    expect(await writer.closed).toBe(4400);
    expect(writer.messages.at(-1)).toMatchObject({ code: 'CONFLICT', expectedSequence: 3 });
    expect(await storedAudio(platform, id)).toEqual(Buffer.concat([pcm(100, 1), pcm(100, 2)]));
  });

  test('audio before start is refused', async () => {
    const writer = await aSocket(server.port, await aLiveSession(platform));
    writer.send(1, pcm(10));
    expect(await writer.closed).toBe(4400);
  });

  test('a chunk of 10 MB is not even read to its end', async () => {
    const id = await aLiveSession(platform);
    const writer = await aWriter(server, id);
    writer.send(1, Buffer.alloc(10_000_000));
    expect(await writer.closed).toBe(1009);
    expect(await storedAudio(platform, id)).toHaveLength(0);
  });

  test.each(['ENDING', 'ENDED', 'FAILED'] as const)('a session that is %s takes no writer', async (state) => {
    const id = await aLiveSession(platform, { state, isComplete: state !== 'FAILED' });
    const writer = await aSocket(server.port, id);
    writer.say({ type: 'start', token: server.token(id) });
    expect(await writer.closed).toBe(4410);
    expect(writer.messages).toEqual([expect.objectContaining({ type: 'error', code: 'INVALID_STATE' })]);
  });

  test('a session that is ended by somebody else lets its writer go at its next chunk', async () => {
    const id = await aLiveSession(platform);
    const writer = await aWriter(server, id);
    writer.send(1, pcm(100));
    await writer.acknowledged(1);
    await server.store.end({ sessionId: id, number: 0 });
    writer.send(2, pcm(100));
    expect(await writer.closed).toBe(4410);
  });

  test('a session that is as long as it may be ends with what fits', async () => {
    await using strict = await servedIngest(platform, { maxDurationMs: 1_000 });
    const id = await aLiveSession(platform);
    const writer = await aWriter(strict, id);
    writer.send(1, pcm(900));
    await writer.acknowledged(1);
    writer.send(2, pcm(200));
    expect(await writer.receive('ended')).toEqual({ type: 'ended', acknowledgedSequence: 1 });
    expect(await writer.closed).toBe(4410);
    expect((await sessionRow(platform, id)).state).toBe('ENDING');
  });

  test('a paused session without a free place keeps nothing and says when to come again', async () => {
    await platform.database.prisma.$executeRaw`
      insert into media.live_worker (id, places, seen_at) values ('full', 1, now() + interval '1 hour')`;
    await aLiveSession(platform, { state: 'LIVE' });
    const id = await aLiveSession(platform, { state: 'PAUSED' });
    const writer = await aWriter(server, id);
    writer.send(1, pcm(100));
    expect(await writer.closed).toBe(4429);
    expect(writer.messages.at(-1)).toMatchObject({ code: 'ENGINE_BUSY', retryAfterMs: expect.any(Number) as number });
    expect((await sessionRow(platform, id)).acknowledgedSequence).toBe(0);
  });
});

describe('a second writer', () => {
  test('takes over, and the first is closed at once and stores nothing more', async () => {
    fakeIntervals(); // else the first would learn of it sooner or later
    const id = await aLiveSession(platform);
    const first = await aWriter(server, id);
    first.send(1, pcm(100, 1));
    await first.acknowledged(1);
    const second = await aWriter(server, id);
    expect(await first.closed).toBe(4409);
    expect(first.messages.at(-1)).toMatchObject({ type: 'error', code: 'CONFLICT' });
    second.send(2, pcm(100, 2));
    await second.acknowledged(2);
    expect((await sessionRow(platform, id)).writerSeenAt).not.toBeNull();
    expect((await storedAudio(platform, id)).length).toBe(6_400);
  });

  test('in another process does the same at the next chunk of the first', async () => {
    await using elsewhere = await servedIngest(platform, {
      store: new AudioStore(platform.database.slice(MEDIA_MODELS), platform.events),
    });
    const id = await aLiveSession(platform);
    const first = await aWriter(server, id);
    first.send(1, pcm(100));
    await first.acknowledged(1);
    const second = await aWriter(elsewhere, id);
    first.send(2, pcm(100));
    expect(await first.closed).toBe(4409);
    second.send(2, pcm(100));
    await second.acknowledged(2);
    expect((await storedAudio(platform, id)).length).toBe(6_400);
  });

  test('in another process ends a silent first one when that is next noted as present', async () => {
    fakeIntervals();
    await using elsewhere = await servedIngest(platform);
    const id = await aLiveSession(platform);
    const first = await aWriter(server, id);
    await aWriter(elsewhere, id);
    jest.advanceTimersByTime(5_000);
    jest.advanceTimersByTime(5_000);
    expect(await first.closed).toBe(4409);
  });
});

describe('back-pressure', () => {
  test('audio fifty times faster than real time is held back, goes on when it was heard, and none is lost', async () => {
    const id = await aLiveSession(platform);
    const writer = await aWriter(server, id);
    const chunks: Buffer[] = [];
    let most = 0;
    const stored = async (): Promise<number> => {
      const { storedBytes, heardBytes } = await sessionRow(platform, id);
      most = Math.max(most, Number(storedBytes - heardBytes));
      return Number(storedBytes);
    };
    await waitFor('its connection to be full', async () => {
      if (writer.socket.bufferedAmount > 0) return (await stored()) > MAX_UNHEARD;
      for (let count = 0; count < 50; count++) writer.send(chunks.push(pcm(1_000, chunks.length)), chunks.at(-1)!);
      return false;
    });
    const held = await stored();
    for (let look = 0; look < 20; look++) expect(await stored()).toBe(held);
    writer.say({ type: 'end' });
    await waitFor('the end', async () => {
      await stored();
      await hear(platform, id);
      return writer.messages.some(({ type }) => type === 'ended');
    });
    expect(await writer.closed).toBe(1000);
    expect(most).toBeLessThanOrEqual(MAX_UNHEARD + MAX_GROUP);
    expect((await storedAudio(platform, id)).equals(Buffer.concat(chunks))).toBe(true);
  }, 60_000);

  test('a store that is slow is not sent more than fits into the queue', async () => {
    const sizes: number[] = [];
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    const store = new AudioStore(platform.database.slice(MEDIA_MODELS), platform.events);
    const append = store.append.bind(store);
    store.append = async (writer, chunks) => {
      sizes.push(chunks.reduce((sum, { bytes }) => sum + bytes.length, 0));
      await gate;
      return append(writer, chunks);
    };
    await using slow = await servedIngest(platform, { store });
    const id = await aLiveSession(platform, { encoding: 'CONTAINER' });
    const writer = await aWriter(slow, id);
    for (let sequence = 1; sequence <= 400; sequence++) writer.send(sequence, Buffer.alloc(20_000, sequence));
    await waitFor('its connection to be full', () => sizes.length === 1 && writer.socket.bufferedAmount > 0);
    release();
    await waitFor('a pause', async () => {
      await hear(platform, id);
      return writer.messages.some((message) => message.type === 'acknowledged' && message.sequence === 400);
    });
    expect(Math.max(...sizes)).toBeLessThanOrEqual(MAX_GROUP);
    expect(sizes.length).toBeLessThan(200); // what came meanwhile was stored together
  }, 60_000);
});

describe('connections', () => {
  test('a writer that is gone without a word is noticed within two pings, and forgotten', async () => {
    fakeIntervals();
    const id = await aLiveSession(platform);
    const gone = await aWriter(server, id);
    const alive = await aWriter(server, await aLiveSession(platform));
    gone.socket.pause(); // a host that is gone reads and answers nothing
    let pings = 0;
    alive.socket.on('ping', () => pings++);
    jest.advanceTimersByTime(12_000);
    await waitFor('a ping', () => pings === 1);
    alive.say({ type: 'flush' }); // its answer comes behind the pong to that ping
    await alive.receive('flushed');
    jest.advanceTimersByTime(12_000);
    await waitFor('it to be forgotten', async () => (await sessionRow(platform, id)).writerSeenAt === null);
    expect(alive.socket.readyState).toBe(WebSocket.OPEN);
    gone.socket.terminate();
  });

  test('a writer that is gone while it is held back is forgotten as well', async () => {
    fakeIntervals();
    const id = await aLiveSession(platform);
    const writer = await aWriter(server, id);
    let sent = 0;
    await waitFor('its connection to be full', async () => {
      if (writer.socket.bufferedAmount > 0) return Number((await sessionRow(platform, id)).storedBytes) > MAX_UNHEARD;
      for (let count = 0; count < 50; count++) writer.send(++sent, pcm(1_000));
      return false;
    });
    writer.socket.terminate();
    await waitFor('it to be forgotten', async () => {
      jest.advanceTimersByTime(12_000);
      return (await sessionRow(platform, id)).writerSeenAt === null;
    });
  });

  test('a writer whose audio cannot be stored is told to come again', async () => {
    const store = new AudioStore(platform.database.slice(MEDIA_MODELS), platform.events);
    store.append = async () => {
      throw new Error('Connection terminated unexpectedly');
    };
    await using broken = await servedIngest(platform, { store });
    const writer = await aWriter(broken, await aLiveSession(platform));
    writer.send(1, pcm(100));
    expect(await writer.closed).toBe(1011);
    expect(writer.messages.at(-1)).toMatchObject({ code: 'DATABASE_UNAVAILABLE', retryAfterMs: 2_000 });
  });

  test('a writer that leaves while it is being let in is not kept', async () => {
    const store = new AudioStore(platform.database.slice(MEDIA_MODELS), platform.events);
    const connect = store.connect.bind(store);
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    store.connect = async (...token) => {
      await gate;
      return connect(...token);
    };
    await using slow = await servedIngest(platform, { store });
    const id = await aLiveSession(platform);
    const writer = await aSocket(slow.port, id);
    writer.say({ type: 'start', token: slow.token(id) });
    writer.socket.terminate();
    release();
    await waitFor('both', async () => {
      const { writer: number, writerSeenAt } = await sessionRow(platform, id);
      return number === 1 && writerSeenAt === null;
    });
  });

  test('a writer that leaves while it is noted as present is forgotten all the same', async () => {
    fakeIntervals();
    const store = new AudioStore(platform.database.slice(MEDIA_MODELS), platform.events);
    const seen = store.seen.bind(store);
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    let noting: Promise<unknown> | undefined;
    store.seen = (writer) => {
      const noted = gate.then(() => seen(writer));
      noting = noted;
      return noted;
    };
    await using slow = await servedIngest(platform, { store });
    const id = await aLiveSession(platform);
    const writer = await aWriter(slow, id);
    jest.advanceTimersByTime(10_000);
    await waitFor('it to be noted', () => noting !== undefined);
    writer.socket.terminate();
    await waitFor('it to be gone', async () => (await slow.connections()) === 0);
    await sessionRow(platform, id); // what it does when it is gone has been done, or waits
    release();
    await noting;
    await waitFor('it to be forgotten', async () => (await sessionRow(platform, id)).writerSeenAt === null);
  });

  test('a silent writer stays known as present', async () => {
    fakeIntervals();
    const id = await aLiveSession(platform);
    await aWriter(server, id);
    const before = (await sessionRow(platform, id)).writerSeenAt!;
    await waitFor('it to be seen', async () => {
      jest.advanceTimersByTime(5_000);
      return (await sessionRow(platform, id)).writerSeenAt! > before;
    });
  });

  test('a writer that reads no answers is let go', async () => {
    const store = new AudioStore(platform.database.slice(MEDIA_MODELS), platform.events);
    store.flush = async () => ({ state: 'LIVE', acknowledgedSequence: 0, storedBytes: 0, unheardBytes: 0 });
    await using patient = await servedIngest(platform, { store });
    const id = await aLiveSession(platform);
    const deaf = aDeafConnection(patient, id);
    deaf.say({ type: 'start', token: patient.token(id) });
    await waitFor('its end', () => {
      for (let count = 0; count < 500; count++) deaf.say({ type: 'flush' });
      return deaf.connection.destroyed;
    });
    expect(deaf.connection.writableLength).toBeLessThan(100_000);
  });

  test('a server that stops stores what has arrived and closes with 1001', async () => {
    const stopping = await servedIngest(platform);
    const id = await aLiveSession(platform);
    const writer = await aWriter(stopping, id);
    writer.send(1, pcm(100));
    await writer.acknowledged(1);
    const waiting = await aSocket(stopping.port, id);
    await stopping.ingest.stop();
    expect(await writer.closed).toBe(1001);
    expect(await waiting.closed).toBe(1001);
    expect((await sessionRow(platform, id)).writerSeenAt).toBeNull();
    const late = new WebSocket(`ws://127.0.0.1:${stopping.port}/live/${id}`);
    const [error] = (await once(late, 'error')) as [Error];
    expect(error.message).toContain('503');
    await stopping[Symbol.asyncDispose]();
  });
});

/** The server's end of a connection whose client sends, and takes nothing. */
function aDeafConnection(ingest: IngestServer, sessionId: string): { connection: Duplex; say(message: object): void } {
  const connection = new Duplex({ read: () => undefined, write: () => undefined });
  const headers = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' };
  const key = { 'sec-websocket-key': Buffer.alloc(16).toString('base64') };
  const request = { method: 'GET', headers: { ...headers, ...key }, url: `/live/${sessionId}` } as unknown;
  const url = new URL(`http://test/live/${sessionId}`);
  ingest.ingest.socketRoute(request as IncomingMessage, connection, Buffer.alloc(0), url);
  return { connection, say: (message) => void connection.push(textFrame(JSON.stringify(message))) };
}

/** RFC 6455 §5.2, masked with zeros, which leave the text as it is. */
function textFrame(text: string): Buffer {
  const head = Buffer.from([0x81, 0x80 | 126, 0, 0, 0, 0, 0, 0]);
  head.writeUInt16BE(text.length, 2);
  return Buffer.concat([head, Buffer.from(text)]);
}
