import http from 'node:http';
import { newId } from '../../../../platform/ids';
import type { Platform } from '../../../../platform/platform';
import { openTestPlatform, type TestPlatform } from '../../../../platform/testing/platform';
import { waitFor } from '../../../../platform/testing/wait';
import { MEDIA_MODELS } from '../../records';
import { AudioStore } from './audio-store';
import { aLiveSession } from '../testing-sessions';
import { aSocket, aWriter, hear, pcm, servedIngest, sessionRow, storedAudio, type IngestServer } from './testing';

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

interface Answered {
  status: number;
  body: {
    acknowledgedSequence?: number;
    storedBytes?: number;
    state?: string;
    errors?: { message: string; extensions: { code: string; acknowledgedSequence?: number; storedBytes?: number } }[];
  };
}

/** A request whose body is still being sent. */
interface Upload {
  request: http.ClientRequest;
  answer: Promise<Answered>;
}

function upload(
  sessionId: string,
  options: { to?: IngestServer; token?: string | null; query?: string; method?: string } = {},
): Upload {
  const { to = server, query = '', method = 'PUT' } = options;
  const token = options.token === undefined ? to.token(sessionId) : options.token;
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  const path = `/live/${sessionId}${query}`;
  const request = http.request({ host: '127.0.0.1', port: to.port, method, path, headers });
  const answer = new Promise<Answered>((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (response) => {
      let text = '';
      response.on('data', (piece: Buffer) => (text += piece.toString('utf8')));
      response.on('end', () => resolve({ status: response.statusCode!, body: JSON.parse(text) as Answered['body'] }));
    });
  });
  answer.catch(() => undefined);
  return { request, answer };
}

async function send(sessionId: string, body: Buffer, options: Parameters<typeof upload>[1] = {}): Promise<Answered> {
  const { request, answer } = upload(sessionId, options);
  request.end(body);
  return answer;
}

test.each(['PUT', 'POST'])('the body of a %s is the audio, and its end the end of the session', async (method) => {
  const id = await aLiveSession(platform);
  const { request, answer } = upload(id, { method });
  for (let piece = 0; piece < 10; piece++) request.write(pcm(150, piece));
  request.end();
  const { status, body } = await answer;
  expect(status).toBe(200);
  expect(body).toEqual({
    acknowledgedSequence: (await sessionRow(platform, id)).acknowledgedSequence,
    storedBytes: 48_000,
    state: 'ENDING',
  });
  const expected = Array.from({ length: 10 }, (_, piece) => pcm(150, piece));
  expect(await storedAudio(platform, id)).toEqual(Buffer.concat(expected));
});

test('audio is stored while the body is still coming', async () => {
  const id = await aLiveSession(platform);
  const { request, answer } = upload(id);
  request.write(pcm(100));
  await waitFor('the first piece', async () => (await storedAudio(platform, id)).length === 3_200);
  request.end(pcm(100));
  expect((await answer).body.storedBytes).toBe(6_400);
});

test('with end=false the session goes on behind it, also when pieces come apart within a sample', async () => {
  const id = await aLiveSession(platform);
  const sound = pcm(1_500);
  const { request, answer } = upload(id, { query: '?end=false' });
  for (let at = 0; at < sound.length; at += 777) request.write(sound.subarray(at, at + 777));
  request.end();
  expect(await answer).toMatchObject({ status: 200, body: { storedBytes: 48_000, state: 'LIVE' } });
  expect((await send(id, sound)).body).toMatchObject({ storedBytes: 96_000, state: 'ENDING' });
  expect(await storedAudio(platform, id)).toEqual(Buffer.concat([sound, sound]));
});

test('an empty body ends a session, or does nothing with end=false', async () => {
  const id = await aLiveSession(platform);
  const nothing = Buffer.alloc(0);
  expect((await send(id, nothing, { query: '?end=false' })).body).toMatchObject({ storedBytes: 0, state: 'WAITING' });
  expect((await send(id, nothing)).body).toMatchObject({ storedBytes: 0, state: 'ENDING' });
});

test('half a sample at the end is refused behind everything before it, and ends nothing', async () => {
  const id = await aLiveSession(platform);
  const answered = await send(id, Buffer.concat([pcm(100), Buffer.from('x')]));
  expect(answered).toMatchObject({
    status: 400,
    body: { errors: [{ extensions: { code: 'INVALID_INPUT', storedBytes: 3_200 } }] },
  });
  expect((await sessionRow(platform, id)).state).toBe('LIVE');
});

test('a container is kept byte by byte, however large the pieces', async () => {
  const id = await aLiveSession(platform, { encoding: 'CONTAINER' });
  const bytes = Buffer.from(Uint8Array.from({ length: 700_001 }, (_, index) => index % 251));
  expect((await send(id, bytes)).body.storedBytes).toBe(700_001);
  expect((await storedAudio(platform, id)).equals(bytes)).toBe(true);
});

test('a body that breaks off anywhere leaves whole samples and a session that goes on', async () => {
  const sound = pcm(1_000);
  for (const at of [1, 7, 3_199, 3_201, 16_001, 31_999]) {
    const id = await aLiveSession(platform);
    const { request } = upload(id);
    request.write(sound.subarray(0, at));
    const whole = at - (at % 2);
    await waitFor('what had come', async () => {
      const row = await sessionRow(platform, id);
      return row.writer === 1 && Number(row.storedBytes) === whole;
    });
    request.destroy();
    await waitFor('the writer to be forgotten', async () => (await sessionRow(platform, id)).writerSeenAt === null);
    const { storedBytes, isComplete } = await sessionRow(platform, id);
    expect([Number(storedBytes), isComplete]).toEqual([whole, false]);
    expect((await send(id, sound.subarray(whole))).body).toMatchObject({ storedBytes: 32_000, state: 'ENDING' });
    expect(await storedAudio(platform, id)).toEqual(sound);
  }
});

test('a body that breaks off at any moment leaves the beginning of what was sent, and no writer', async () => {
  const sound = pcm(1_000);
  const sessions: string[] = [];
  for (let round = 0; round < 20; round++) {
    const id = await aLiveSession(platform);
    const { request } = upload(id);
    const part = sound.subarray(0, Math.floor(Math.random() * sound.length));
    await new Promise((resolve) => request.write(part, resolve));
    if (round % 2 === 0) await waitFor('a writer', async () => (await sessionRow(platform, id)).writer === 1);
    request.destroy();
    sessions.push(id);
  }
  for (const id of sessions) {
    await waitFor('it to be forgotten', async () => (await sessionRow(platform, id)).writerSeenAt === null);
    const stored = await storedAudio(platform, id);
    expect(stored.equals(sound.subarray(0, stored.length))).toBe(true);
    expect(stored.length % 2).toBe(0);
    expect((await sessionRow(platform, id)).isComplete).toBe(false);
  }
});

test('more audio than may wait to be heard is held back, and goes on when it was heard', async () => {
  const id = await aLiveSession(platform, { encoding: 'CONTAINER' });
  const { request, answer } = upload(id);
  const limit = 1024 * 1024;
  let sent = 0;
  let most = 0;
  const unheard = async (): Promise<number> => {
    const { storedBytes, heardBytes } = await sessionRow(platform, id);
    most = Math.max(most, Number(storedBytes - heardBytes));
    return Number(storedBytes - heardBytes);
  };
  await waitFor('its connection to be full', async () => {
    if (request.socket && request.socket.writableLength > 0) return (await unheard()) > limit;
    for (let count = 0; count < 10; count++) request.write(Buffer.alloc(100_000, ++sent));
    return false;
  });
  const held = await unheard();
  for (let look = 0; look < 20; look++) expect(await unheard()).toBe(held);
  request.end();
  let isOver = false;
  void answer.finally(() => (isOver = true));
  await waitFor('the end', async () => {
    await unheard();
    await hear(platform, id);
    return isOver;
  });
  expect((await answer).body.storedBytes).toBe(sent * 100_000);
  expect(most).toBeLessThanOrEqual(limit + 256 * 1024 + 2 * 64 * 1024);
}, 60_000);

test('a body of which nothing more comes is given up; what came is stored', async () => {
  await using hasty = await servedIngest(platform, { bodyIdleMs: 200 });
  const id = await aLiveSession(platform);
  const { request, answer } = upload(id, { to: hasty });
  request.write(pcm(100));
  expect(await answer).toMatchObject({ status: 408, body: { errors: [{ extensions: { storedBytes: 3_200 } }] } });
  expect(await sessionRow(platform, id)).toMatchObject({ state: 'LIVE', writerSeenAt: null });
  request.destroy();
});

test('a newer writer takes its place', async () => {
  const id = await aLiveSession(platform);
  const { request, answer } = upload(id);
  request.write(pcm(100));
  await waitFor('the first piece', async () => (await sessionRow(platform, id)).acknowledgedSequence > 0);
  const writer = await aWriter(server, id);
  expect((await answer).status).toBe(409);
  request.destroy();
  const { acknowledgedSequence } = await sessionRow(platform, id);
  writer.send(acknowledgedSequence + 1, pcm(100));
  await writer.acknowledged(acknowledgedSequence + 1);
});

test('a token that is missing, foreign, used or nonsense, and a session that is unknown, are answered alike', async () => {
  const id = await aLiveSession(platform);
  const unknown = newId('liv');
  const used = server.token(id);
  expect((await send(id, pcm(10), { token: used, query: '?end=false' })).status).toBe(200);
  const foreign = server.token(await aLiveSession(platform));
  const answers = [];
  for (const token of [null, foreign, used, 'nonsense']) answers.push(await send(id, pcm(10), { token }));
  for (const token of [foreign, server.token(unknown)]) answers.push(await send(unknown, pcm(10), { token }));
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect(answers[0]).toMatchObject({ status: 401, body: { errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] } });
});

test('a session that has ended answers 410, another method 405', async () => {
  const id = await aLiveSession(platform, { state: 'ENDED', isComplete: true });
  expect((await send(id, pcm(10))).status).toBe(410);
  expect((await send(id, Buffer.alloc(0), { method: 'DELETE' })).status).toBe(405);
});

test('a session that is as long as it may be ends with what fits, and says so', async () => {
  await using strict = await servedIngest(platform, { maxDurationMs: 500 });
  const id = await aLiveSession(platform);
  const answered = await send(id, pcm(900), { to: strict });
  expect(answered).toMatchObject({ status: 410, body: { errors: [{ extensions: { code: 'INVALID_STATE' } }] } });
  expect((await sessionRow(platform, id)).state).toBe('ENDING');
});

test('a failure on our side is masked, says how far the session has got, and ends nothing', async () => {
  const store = new AudioStore(platform.database.slice(MEDIA_MODELS), platform.events);
  store.append = async () => {
    throw new Error('the password of the database is 12345');
  };
  await using broken = await servedIngest(platform, { store });
  const id = await aLiveSession(platform);
  const answered = await send(id, pcm(100), { to: broken });
  expect(answered).toMatchObject({
    status: 500,
    body: { errors: [{ extensions: { code: 'INTERNAL', acknowledgedSequence: 0, storedBytes: 0 } }] },
  });
  expect(JSON.stringify(answered)).not.toContain('password');
  store.append = async () => {
    throw new Error('Connection terminated unexpectedly');
  };
  expect(await send(id, pcm(100), { to: broken })).toMatchObject({
    status: 503,
    body: { errors: [{ extensions: { code: 'DATABASE_UNAVAILABLE' } }] },
  });
  expect((await send(id, pcm(100))).body.storedBytes).toBe(3_200);
});

test('more connections than one process takes are refused', async () => {
  await using small = await servedIngest(platform, { maxConnections: 1 });
  const id = await aLiveSession(platform);
  await aWriter(small, await aLiveSession(platform));
  expect((await send(id, pcm(100), { to: small })).status).toBe(503);
  await expect(aSocket(small.port, id)).rejects.toThrow('503');
});

test('a server that stops stores what came and answers 503', async () => {
  const stopping = await servedIngest(platform);
  const id = await aLiveSession(platform);
  const { request, answer } = upload(id, { to: stopping });
  request.write(pcm(100));
  await waitFor('the first piece', async () => (await sessionRow(platform, id)).acknowledgedSequence > 0);
  await stopping.ingest.stop();
  expect(await answer).toMatchObject({ status: 503, body: { errors: [{ extensions: { storedBytes: 3_200 } }] } });
  expect((await send(id, pcm(100), { to: stopping })).status).toBe(503);
  request.destroy();
  await stopping[Symbol.asyncDispose]();
});
