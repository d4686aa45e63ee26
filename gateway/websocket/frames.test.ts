import { waitFor } from '../../platform/testing/wait';
import { silentLogger, type Logger } from '../../platform/logger';
import { createRandom } from '../differential/random';
import { aRawSocket } from '../testing/socket-client';
import { servedSockets, type ServedSockets } from '../testing/socket-server';
import { aRawWebSocket, frameOf } from '../testing/raw-websocket';

const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const INIT = '{"type":"connection_init"}';

let lines = 0;
const count = (): void => void lines++;
const logger: Logger = { ...silentLogger, debug: count, info: count, warn: count, error: count };
let server: ServedSockets;
beforeAll(async () => {
  server = await servedSockets({ logger });
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => {
  lines = 0;
});

/** Whether the process still serves. */
async function serves(): Promise<void> {
  const socket = await aRawSocket(server.url, { init: null });
  socket.socket.close();
  await socket.closed;
}

const closeWith = (code: number): Buffer => Buffer.from([code >> 8, code & 255]);

test.each<[string, number, Buffer[]]>([
  ['a frame without a mask', 1002, [frameOf(TEXT, INIT, { mask: false })]],
  ['the first reserved bit, which would mean a compressed message', 1002, [frameOf(TEXT, INIT, { rsv: 4 })]],
  ['another reserved bit', 1002, [frameOf(TEXT, INIT, { rsv: 1 })]],
  ['an opcode without a meaning', 1002, [frameOf(3, INIT)]],
  ['a control opcode without a meaning', 1002, [frameOf(11, '')]],
  ['text that is not UTF-8', 1007, [frameOf(TEXT, Buffer.from([0x22, 0xc3, 0x28, 0x22]))]],
  ['text that ends within a character', 1007, [frameOf(TEXT, Buffer.from([0x22, 0xe2, 0x82]))]],
  ['a close code that none may send', 1002, [frameOf(CLOSE, closeWith(999))]],
  ['a close code that is only for reports', 1002, [frameOf(CLOSE, closeWith(1006))]],
  ['half a close code', 1002, [frameOf(CLOSE, Buffer.from([3]))]],
  ['a close reason that is not UTF-8', 1007, [frameOf(CLOSE, Buffer.concat([closeWith(1000), Buffer.from([0xff])]))]],
  ['a length of 2^63', 1009, [frameOf(TEXT, '', { length: 2n ** 63n })]],
  ['a length of 101 MB', 1009, [frameOf(TEXT, '', { length: 101_000_000n })]],
  ['a control frame over 125 bytes', 1002, [frameOf(PING, 'x'.repeat(126))]],
  ['a control frame in fragments', 1002, [frameOf(PING, 'x', { fin: false })]],
  ['a message that begins within another', 1002, [frameOf(TEXT, '{', { fin: false }), frameOf(TEXT, '}')]],
  ['a continuation of nothing', 1002, [frameOf(0, INIT)]],
  [
    '20 000 fragments of one byte',
    1008,
    [frameOf(TEXT, ' ', { fin: false }), ...many(20_000, frameOf(0, ' ', { fin: false }))],
  ],
  [
    '20 000 empty fragments',
    1008,
    [frameOf(TEXT, '', { fin: false }), ...many(20_000, frameOf(0, '', { fin: false }))],
  ],
  [
    'fragments that are too long together',
    1009,
    many(3, frameOf(BINARY, '', { fin: false }))
      .slice(0, 1)
      .concat(many(8, frameOf(0, 'x'.repeat(10_000), { fin: false }))),
  ],
])('%s: %i', async (_, code, frames) => {
  const socket = await aRawWebSocket(server.port);
  socket.write(Buffer.concat(frames));
  expect(await socket.closed).toBe(code);
  socket.socket.destroy();
  await serves();
  expect(lines).toBeLessThanOrEqual(1);
});

test('a message in fragments with a ping between them is a message', async () => {
  const socket = await aRawWebSocket(server.port);
  socket.write(
    Buffer.concat([frameOf(TEXT, INIT.slice(0, 5), { fin: false }), frameOf(PING, 'p'), frameOf(0, INIT.slice(5))]),
  );
  const received: string[] = [];
  socket.socket.on('data', (chunk: Buffer) => received.push(chunk.toString('latin1')));
  await waitFor('the answers', () => received.join('').includes('connection_ack'));
  expect(received.join('')).toContain('\x8a\x01p');
  socket.socket.destroy();
});

test('compression is not agreed to', async () => {
  const socket = await aRawWebSocket(server.port, ['sec-websocket-extensions: permessage-deflate']);
  expect(socket.head).toContain('101 Switching Protocols');
  expect(socket.head.toLowerCase()).not.toContain('sec-websocket-extensions');
  socket.socket.destroy();
});

test('frames with any fault leave the process alive, and nothing open', async () => {
  const random = createRandom(4);
  const session = Buffer.concat([
    frameOf(TEXT, INIT),
    frameOf(TEXT, '{"type":"subscribe","id":"a","payload":{"query":"subscription { s }","variables":{"x":"ü"}}}'),
    frameOf(PING, 'hello'),
    frameOf(TEXT, '{"type":"ping","payload":{"a":1}}'),
    frameOf(TEXT, '{"type":"comp', { fin: false }),
    frameOf(0, 'lete","id":"a"}'),
    frameOf(BINARY, '{"type":"pong"}'),
    frameOf(CLOSE, closeWith(1000)),
  ]);
  const mutated = (): Buffer => {
    const bytes = Buffer.from(session);
    for (let flips = 1 + random.below(4); flips > 0; flips--) bytes[random.below(bytes.length)] = random.below(256);
    if (random.chance(0.2)) return bytes.subarray(0, random.below(bytes.length));
    const at = random.below(bytes.length);
    const again = bytes.subarray(at, at + random.below(40));
    return random.chance(0.3) ? Buffer.concat([bytes.subarray(0, at), again, bytes.subarray(at)]) : bytes;
  };
  for (let round = 0; round < 25; round++) {
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        const socket = await aRawWebSocket(server.port);
        socket.write(mutated());
        socket.socket.end();
        await socket.closed;
        socket.socket.destroy();
      }),
    );
  }
  await serves();
  await waitFor('all to be closed', () => server.connections.size === 0);
  expect(server.started.every(({ left }) => left.length === 1)).toBe(true);
  expect(lines).toBeLessThanOrEqual(500);
});

function many(times: number, frame: Buffer): Buffer[] {
  return Array.from({ length: times }, () => frame);
}
