import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

/** A WebSocket client that writes its frames by hand, also those that no client may send. */
export interface RawWebSocket {
  socket: Socket;
  /** Head of the answer to the upgrade. */
  head: string;
  write(bytes: Buffer): void;
  /** Code of the close frame that arrives; undefined when the connection ends without one. */
  closed: Promise<number | undefined>;
}

export async function aRawWebSocket(port: number, headers: string[] = []): Promise<RawWebSocket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  // Some of what is written arrives at a connection that is closed already.
  socket.on('error', () => {});
  socket.write(
    [
      'GET /graphql HTTP/1.1',
      'host: localhost',
      'connection: Upgrade',
      'upgrade: websocket',
      'sec-websocket-version: 13',
      `sec-websocket-key: ${randomBytes(16).toString('base64')}`,
      'sec-websocket-protocol: graphql-transport-ws',
      ...headers,
      '\r\n',
    ].join('\r\n'),
  );
  const closed = closeCode(socket);
  const head = await new Promise<string>((resolve) => {
    let received = '';
    const onData = (chunk: Buffer): void => {
      received += chunk.toString('latin1');
      const end = received.indexOf('\r\n\r\n');
      if (end < 0) return;
      socket.off('data', onData);
      resolve(received.slice(0, end));
    };
    socket.on('data', onData);
  });
  return { socket, head, write: (bytes) => void socket.write(bytes), closed };
}

function closeCode(socket: Socket): Promise<number | undefined> {
  let received = Buffer.alloc(0);
  return new Promise((resolve) => {
    const look = (): void => {
      const end = received.indexOf('\r\n\r\n');
      const code = end < 0 ? undefined : closeCodeIn(received.subarray(end + 4));
      if (code !== undefined || socket.closed) resolve(code);
    };
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      look();
    });
    socket.on('close', look);
  });
}

/** One frame (RFC 6455 §5.2), masked as a client has to. */
export function frameOf(
  opcode: number,
  payload: Buffer | string,
  options: { fin?: boolean; rsv?: number; mask?: boolean; length?: bigint } = {},
): Buffer {
  const { fin = true, rsv = 0, mask = true } = options;
  const data = Buffer.from(payload);
  const length = options.length ?? BigInt(data.length);
  const head = [(fin ? 0x80 : 0) | (rsv << 4) | opcode];
  const masked = mask ? 0x80 : 0;
  if (length < 126n) head.push(masked | Number(length));
  else if (length < 65_536n) head.push(masked | 126, Number(length >> 8n), Number(length & 255n));
  else {
    const long = Buffer.alloc(8);
    long.writeBigUInt64BE(length);
    head.push(masked | 127, ...long);
  }
  const key = mask ? randomBytes(4) : Buffer.alloc(0);
  return Buffer.concat([Buffer.from(head), key, mask ? data.map((byte, index) => byte ^ key[index % 4]!) : data]);
}

/** Goes over the server's frames, which are not masked, up to a close frame. */
function closeCodeIn(received: Buffer): number | undefined {
  let at = 0;
  while (at + 2 <= received.length) {
    const opcode = received[at]! & 15;
    let length = received[at + 1]! & 127;
    let start = at + 2;
    if (length === 126) {
      length = received.readUInt16BE(start);
      start += 2;
    }
    if (opcode === 8 && start + 2 <= received.length) return length >= 2 ? received.readUInt16BE(start) : 1005;
    at = start + length;
  }
  return undefined;
}
