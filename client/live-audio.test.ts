import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import WebSocket from 'ws';
import { waitFor } from '../platform/testing/wait';
import { LiveAudio, LiveAudioError, type LiveAudioOptions } from './live-audio';
import { refuse, startLivePeer, type LivePeer } from './live-testing';

const CHUNK_BYTES = 1_600;
const CHUNKS = 40;

let peer: LivePeer;
let audio: LiveAudio;
let speech: Buffer;
beforeEach(async () => {
  peer = await startLivePeer();
  speech = randomBytes(CHUNKS * CHUNK_BYTES);
});
afterEach(async () => {
  await audio[Symbol.asyncDispose]();
  await peer[Symbol.asyncDispose]();
});

function connect(options: Partial<LiveAudioOptions> = {}): LiveAudio {
  audio = new LiveAudio({ place: peer.place, webSocketImpl: WebSocket, ...options });
  return audio;
}

/** In pieces that are no whole chunks, and no whole samples either. */
async function* pieces(bytes = speech, length = 777): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}
const stored = (): Buffer => Buffer.concat(peer.log.filter((entry) => typeof entry !== 'string'));

test('arrives whole and in order, in chunks of 50 ms, and ends the session', async () => {
  connect();
  await audio.sendAll(pieces());
  await audio.end();
  expect(stored().equals(speech)).toBe(true);
  expect(peer.log.map(({ length }) => length)).toEqual([...Array<number>(CHUNKS).fill(CHUNK_BYTES), 'end'.length]);
});

test('half a sample at the end is left out', async () => {
  connect();
  await audio.send(speech.subarray(0, 2_001));
  await audio.end();
  expect(stored().equals(speech.subarray(0, 2_000))).toBe(true);
});

test('what is in a container is sent as it comes', async () => {
  connect({ encoding: 'container' });
  for (const length of [333, 1, 70_000]) await audio.send(Buffer.alloc(length));
  await audio.end();
  expect(peer.log.slice(0, -1).map(({ length }) => length)).toEqual([333, 1, 65_536, 4_464]);
});

test.each<[string, (socket: WebSocket) => boolean | void]>([
  ['before a chunk is stored', () => false],
  ['before it is acknowledged', () => {}],
])('a connection that is lost again and again %s loses and repeats nothing', async (_when, isStored) => {
  const cut = new Set([1, 7, 8, 20, CHUNKS]);
  peer.before = (sequence, socket) => {
    if (!cut.delete(sequence)) return;
    socket.terminate();
    return isStored(socket);
  };
  connect();
  await audio.sendAll(pieces());
  await audio.end();
  expect(stored().equals(speech)).toBe(true);
  expect(peer.connections).toBe(6);
});

/** Expects everything to be stored, and one flush, behind as many chunks. */
async function sendWithFlush(chunks: number): Promise<void> {
  connect();
  await audio.send(speech.subarray(0, chunks * CHUNK_BYTES));
  const flushed = audio.flush();
  await audio.send(speech.subarray(chunks * CHUNK_BYTES));
  await flushed;
  await audio.end();
  expect(stored().equals(speech)).toBe(true);
  expect(peer.log.flatMap((entry, index) => (entry === 'flush' ? index : []))).toEqual([chunks]);
}

test('a flush lies between the same chunks after the connection was lost', async () => {
  peer.before = (sequence, socket) => {
    if (peer.connections > 1 || sequence < 3) return;
    socket.terminate();
    return false;
  };
  await sendWithFlush(3);
});

test('a flush whose answer is lost is not sent again once what follows it is stored', async () => {
  peer.onFlush = () => peer.connections > 1;
  peer.after = (sequence, socket) => {
    if (peer.connections > 1 || sequence < 6) return;
    socket.terminate();
    return false;
  };
  await sendWithFlush(3);
});

test('an answer to the end that is lost is found out by asking', async () => {
  peer.after = (sequence) => sequence < CHUNKS;
  peer.onEnd = (socket) => (socket.terminate(), false);
  connect();
  await audio.send(speech);
  await audio.end();
  expect(peer.connections).toBe(1);
});

test('a server that says nothing any more is left', async () => {
  peer.after = (sequence, socket) => {
    if (sequence !== 10 || peer.connections > 1) return;
    socket.pause();
    return false;
  };
  peer.onStart = () => peer.connections !== 2;
  connect({ silenceMs: 250 });
  await audio.sendAll(pieces());
  await audio.end();
  expect(stored().equals(speech)).toBe(true);
  // Both were left; on a busy machine one more may have seemed to be silent.
  expect(peer.connections).toBeGreaterThanOrEqual(3);
});

test('an address that takes the connection and says nothing is left', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  let asked = 0;
  const place: LiveAudioOptions['place'] = async () => {
    const found = await peer.place();
    return asked++ > 0 ? found : { ...found, ingest: { ...found.ingest!, webSocketUrl: `ws://127.0.0.1:${port}` } };
  };
  connect({ place, silenceMs: 100 });
  await audio.send(speech);
  await audio.end();
  expect(stored().equals(speech)).toBe(true);
  silent.close();
});

test('reads its source no further than it may keep, and goes on when there is room', async () => {
  let isBlocked = true;
  const held: (() => void)[] = [];
  peer.before = (sequence, socket) => {
    if (!isBlocked) return;
    socket.pause();
    held.push(() => socket.resume());
    return sequence === 0;
  };
  let read = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces(speech, CHUNK_BYTES)) {
      read += piece.length;
      yield piece;
    }
  }
  connect({ keepBytes: 5 * CHUNK_BYTES, silenceMs: 500 });
  const sent = audio.sendAll(counted());
  await waitFor('the first chunk', () => held.length > 0);
  await waitFor('another connection', () => peer.connections > 1);
  expect(read).toBe(5 * CHUNK_BYTES);
  isBlocked = false;
  held.forEach((release) => release());
  await sent;
  await audio.end();
  expect(stored().equals(speech)).toBe(true);
});

test('a place that is taken is waited for as long as the server says', async () => {
  const waits: number[] = [];
  peer.before = (_sequence, socket) => {
    if (peer.connections > 2) return;
    refuse(socket, 4429, 'ENGINE_BUSY', 20 + peer.connections);
    return false;
  };
  connect({ onBusy: (waitMs) => waits.push(waitMs), giveUpMs: 0 });
  await audio.send(speech);
  await audio.end();
  expect(stored().equals(speech)).toBe(true);
  expect(waits).toEqual([21, 22]);
});

test('failures before and behind a time without a place are not one long failure', async () => {
  let asked = 0;
  const place: LiveAudioOptions['place'] = () =>
    ++asked % 2 === 1 && asked < 4 ? Promise.reject(new TypeError('fetch failed')) : peer.place();
  peer.onStart = (socket) => (peer.connections > 1 ? undefined : (refuse(socket, 4429, 'ENGINE_BUSY', 200), false));
  connect({ place, giveUpMs: 150 });
  await audio.send(speech);
  await audio.end();
  expect(asked).toBe(4);
});

test('goes on with the number behind those of an earlier writer', async () => {
  await peer[Symbol.asyncDispose]();
  peer = await startLivePeer(17);
  connect();
  await audio.send(speech);
  await audio.end();
  expect(stored().equals(speech)).toBe(true);
  expect(peer.acknowledged).toBe(17 + CHUNKS);
});

test.each([
  [4400, 'INVALID_INPUT'],
  [4404, 'NOT_FOUND'],
  [4409, 'CONFLICT'],
  [4410, 'INVALID_STATE'],
])('close code %i is the end: %s', async (closeCode, code) => {
  peer.onStart = (socket) => (refuse(socket, closeCode, code), false);
  connect();
  await expect(audio.send(speech).then(() => audio.end())).rejects.toMatchObject({ code, message: `It is ${code}.` });
  await expect(audio.send(speech)).rejects.toThrow(LiveAudioError);
  expect(peer.connections).toBe(1);
});

test('a session that has ended may be ended again, but takes no more audio', async () => {
  peer.isEnded = true;
  connect();
  await expect(audio.end()).resolves.toBeUndefined();
  await audio[Symbol.asyncDispose]();
  connect();
  await audio.send(speech).catch(() => {});
  await expect(audio.end()).rejects.toMatchObject({ code: 'INVALID_STATE' });
});

test('a session that the server ends, because it is long enough, takes no more audio', async () => {
  peer.after = (sequence, socket) => {
    if (sequence < 5) return;
    peer.isEnded = true;
    socket.send(JSON.stringify({ type: 'ended', acknowledgedSequence: sequence }));
    refuse(socket, 4410, 'INVALID_STATE');
    return false;
  };
  connect();
  await expect(audio.send(speech).then(() => audio.end())).rejects.toMatchObject({ code: 'INVALID_STATE' });
  expect(stored().length).toBe(5 * CHUNK_BYTES);
});

test('audio of another writer in between is noticed', async () => {
  peer.after = (sequence, socket) => {
    if (sequence !== 3 || peer.connections > 1) return;
    socket.terminate();
    peer.before = () => false;
    peer.onStart = (again) => {
      again.send(JSON.stringify({ type: 'ready', acknowledgedSequence: 99, maxChunkBytes: 1, maxChunkMs: 1 }));
      return false;
    };
  };
  connect();
  await expect(audio.send(speech).then(() => audio.end())).rejects.toMatchObject({ code: 'CONFLICT' });
});

test('what the graph refuses is told, what fails on the way is tried again until it is too long', async () => {
  let asked = 0;
  const place: LiveAudioOptions['place'] = async () => {
    asked++;
    throw asked < 3 ? new TypeError('fetch failed') : new LiveAudioError('NOT_FOUND', 'There is no such session.');
  };
  connect({ place });
  await expect(audio.end()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(asked).toBe(3);
  connect({ place: () => Promise.reject(new TypeError('fetch failed')), giveUpMs: -1 });
  await expect(audio.end()).rejects.toMatchObject({ code: 'NETWORK', message: 'fetch failed' });
});

test('nothing is taken behind the end, and who leaves waits for nothing more', async () => {
  connect();
  await audio.send(speech);
  await audio.end();
  await expect(audio.send(speech)).rejects.toMatchObject({ code: 'INVALID_STATE' });
  await audio[Symbol.asyncDispose]();

  peer.isEnded = false;
  peer.onStart = () => false;
  connect({ keepBytes: CHUNK_BYTES });
  const waiting = [audio.send(speech), audio.flush(), audio.end()].map((each) => each.catch((error: unknown) => error));
  await audio[Symbol.asyncDispose]();
  for (const outcome of await Promise.all(waiting)) expect(outcome).toMatchObject({ code: 'INVALID_STATE' });
  await expect(audio.send(speech)).rejects.toMatchObject({ code: 'INVALID_STATE' });
});

test('who leaves ends nothing, and another writer goes on', async () => {
  connect();
  await audio.send(speech.subarray(0, 10 * CHUNK_BYTES));
  await waitFor('the chunks', () => peer.acknowledged === 10);
  await audio[Symbol.asyncDispose]();
  expect(peer.isEnded).toBe(false);
  connect();
  await audio.send(speech.subarray(10 * CHUNK_BYTES));
  await audio.end();
  expect(stored().equals(speech)).toBe(true);
});
