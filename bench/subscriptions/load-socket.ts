import net, { type Socket } from 'node:net';
import { encodeFrame, FrameReader, OPCODE } from './frames';

const HEAD_END = Buffer.from('\r\n\r\n');

export interface SocketEvents {
  /** The text of one message that is no ping. */
  message: (text: string) => void;
  /** The connection is gone; 1006 stands for an end without a closing frame. */
  closed: (code: number, reason: string) => void;
}

/** One graphql-transport-ws connection on a bare TCP socket, so that the load generator is not what is measured. */
export class LoadSocket {
  /** What is needed of the closing frame once it is here. */
  private closing = { code: 1006, reason: 'no closing frame' };
  private head: Buffer | null = Buffer.alloc(0);
  private readonly socket: Socket;
  private readonly frames = new FrameReader((opcode, payload) => this.onFrame(opcode, payload));
  private onAck: () => void = () => {};

  private constructor(
    port: number,
    private readonly events: SocketEvents,
  ) {
    this.socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.on('data', (chunk) => this.onData(chunk));
    this.socket.on('error', (error) => (this.closing = { code: 1006, reason: error.message }));
    this.socket.on('close', () => events.closed(this.closing.code, this.closing.reason));
    this.socket.write(upgradeRequest(port));
  }

  /** Resolves when the connection is acknowledged. */
  static open(port: number, events: SocketEvents): Promise<LoadSocket> {
    return new Promise((resolve, reject) => {
      const socket: LoadSocket = new LoadSocket(port, {
        message: events.message,
        closed(code, reason) {
          reject(new Error(`a connection ended: ${code} ${reason}`));
          events.closed(code, reason);
        },
      });
      socket.onAck = () => resolve(socket);
    });
  }

  send(message: object): void {
    this.socket.write(encodeFrame(OPCODE.text, Buffer.from(JSON.stringify(message))));
  }

  /** Stops to read, as a client does that hangs. */
  stall(): void {
    this.socket.pause();
  }

  readAgain(): void {
    this.socket.resume();
  }

  close(): void {
    this.socket.destroy();
  }

  private onData(chunk: Buffer): void {
    if (!this.head) return this.frames.push(chunk);
    const head = Buffer.concat([this.head, chunk]);
    const end = head.indexOf(HEAD_END);
    this.head = end === -1 ? head : null;
    if (this.head) return;
    const firstLine = head.toString('latin1', 0, head.indexOf('\r\n'));
    if (!firstLine.startsWith('HTTP/1.1 101')) return void this.socket.destroy(new Error(firstLine));
    this.send({ type: 'connection_init' });
    this.frames.push(head.subarray(end + HEAD_END.length));
  }

  private onFrame(opcode: number, payload: Buffer): void {
    if (opcode === OPCODE.text) return this.onText(payload.toString('utf8'));
    if (opcode === OPCODE.ping) return void this.socket.write(encodeFrame(OPCODE.pong, Buffer.from(payload)));
    if (opcode !== OPCODE.close) return;
    this.closing = { code: payload.length < 2 ? 1005 : payload.readUInt16BE(0), reason: payload.toString('utf8', 2) };
    this.socket.end(encodeFrame(OPCODE.close, Buffer.from(payload.subarray(0, 2))));
  }

  private onText(text: string): void {
    if (text.startsWith('{"type":"connection_ack"')) return this.onAck();
    if (text.startsWith('{"type":"ping"')) return this.send({ type: 'pong' });
    if (!text.startsWith('{"type":"pong"')) this.events.message(text);
  }
}

function upgradeRequest(port: number): string {
  return [
    'GET /graphql HTTP/1.1',
    `Host: 127.0.0.1:${port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: c2F1dGkgYmVuY2htYXJrIQ==',
    'Sec-WebSocket-Protocol: graphql-transport-ws',
    '',
    '',
  ].join('\r\n');
}
