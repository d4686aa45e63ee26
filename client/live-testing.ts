import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import type { LivePlace } from './live-audio';

/** What a test does to a socket when a chunk has come; answers false when the chunk is not to be stored. */
type OnChunk = (sequence: number, socket: WebSocket) => boolean | void;

/** The server's side of one live session: strict about the protocol, and as unreliable as a test makes it. */
export interface LivePeer extends AsyncDisposable {
  place: () => Promise<LivePlace>;
  /** What is stored: chunk n is the (n − 1)th, and `flush` and `end` lie where they came. */
  readonly log: (Buffer | 'flush' | 'end')[];
  readonly acknowledged: number;
  readonly connections: number;
  isEnded: boolean;
  /** Called before a chunk is stored. */
  before: OnChunk;
  /** Called between storing a chunk and acknowledging it; false when it is not to be acknowledged. */
  after: OnChunk;
  /** Called for each new socket; false when it is not to be answered. */
  onStart: (socket: WebSocket) => boolean | void;
  /** Called when `flush` has been stored; false when it is not to be answered. */
  onFlush: (socket: WebSocket) => boolean | void;
  /** Called when `end` has been stored; false when it is not to be answered. */
  onEnd: (socket: WebSocket) => boolean | void;
}

export async function startLivePeer(stored = 0): Promise<LivePeer> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'sauti.live.v1' });
  await once(server, 'listening');
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/live/liv_1`;
  const tokens = new Set<string>();
  let acknowledged = stored;
  let connections = 0;
  const peer = {
    log: [] as LivePeer['log'],
    get acknowledged() {
      return acknowledged;
    },
    get connections() {
      return connections;
    },
    isEnded: false,
    before: (() => {}) as OnChunk,
    after: (() => {}) as OnChunk,
    onStart: (() => {}) as LivePeer['onStart'],
    onFlush: (() => {}) as LivePeer['onFlush'],
    onEnd: (() => {}) as LivePeer['onEnd'],
    async place() {
      const token = `token ${tokens.size + connections}`;
      tokens.add(token);
      return { acknowledgedSequence: acknowledged, ingest: peer.isEnded ? null : { webSocketUrl: url, token } };
    },
    async [Symbol.asyncDispose]() {
      for (const client of server.clients) client.terminate();
      server.close();
      await once(server, 'close');
    },
  };
  const tell = (socket: WebSocket, message: object): void => socket.send(JSON.stringify(message));
  const store = (socket: WebSocket, frame: Buffer): void => {
    const sequence = frame.readUInt32BE(0);
    if (peer.before(sequence, socket) === false) return;
    if (sequence > acknowledged + 1) return refuse(socket, 4400, 'CONFLICT');
    if (sequence === acknowledged + 1) {
      acknowledged = sequence;
      peer.log.push(frame.subarray(4));
    }
    if (peer.after(sequence, socket) !== false) tell(socket, { type: 'acknowledged', sequence: acknowledged });
  };
  const hear = (socket: WebSocket, { type, token }: { type: string; token?: string }): void => {
    if (type === 'start') {
      if (!tokens.delete(token!)) return refuse(socket, 4401, 'UNAUTHENTICATED');
      if (peer.onStart(socket) === false) return;
      tell(socket, { type: 'ready', acknowledgedSequence: acknowledged, maxChunkBytes: 32_000, maxChunkMs: 1_000 });
    } else if (type === 'flush') {
      peer.log.push('flush');
      if (peer.onFlush(socket) !== false) tell(socket, { type: 'flushed' });
    } else {
      peer.log.push('end');
      peer.isEnded = true;
      if (peer.onEnd(socket) === false) return;
      tell(socket, { type: 'ended', acknowledgedSequence: acknowledged });
      socket.close(1000);
    }
  };
  server.on('connection', (socket) => {
    connections++;
    socket.on('message', (data: Buffer, isBinary) => {
      if (socket.readyState !== socket.OPEN || socket.isPaused) return;
      if (isBinary) store(socket, data);
      else hear(socket, JSON.parse(data.toString()) as { type: string });
    });
  });
  return peer;
}

export function refuse(socket: WebSocket, closeCode: number, code: string, retryAfterMs?: number): void {
  socket.send(JSON.stringify({ type: 'error', code, message: `It is ${code}.`, retryAfterMs }));
  socket.close(closeCode);
}
