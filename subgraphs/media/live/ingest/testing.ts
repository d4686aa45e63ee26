import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { WebSocket } from 'ws';
import { lingerUnread } from '../../../../platform/http/unread-body';
import { newId } from '../../../../platform/ids';
import { silentLogger } from '../../../../platform/logger';
import type { Platform } from '../../../../platform/platform';
import { waitFor } from '../../../../platform/testing/wait';
import { MEDIA_MODELS } from '../../records';
import type { LiveSessionRow } from '../live-session';
import { AudioStore } from './audio-store';
import type { ServerMessage } from './frames';
import { IngestTokens } from './ingest-token';
import { createLiveIngest, type LiveIngest } from './live-ingest';

/** A session that waits for audio: 16 kHz PCM unless it says otherwise. */
export async function aLiveSession(
  { database: { prisma } }: Platform,
  session: Partial<Omit<LiveSessionRow, 'checkpoint'>> = {},
): Promise<string> {
  const ownerId = session.ownerId ?? newId('usr');
  const transcript = await prisma.transcript.create({
    data: { id: newId('trn'), ownerId, language: 'en-US', engine: 'scripted' },
  });
  const { id } = await prisma.liveSession.create({
    data: {
      ...{ id: newId('liv'), ownerId, title: 'Talk', transcriptId: transcript.id, encoding: 'PCM_S16LE' },
      ...{ sampleRate: 16_000, endpointingMs: 500, record: false, refine: false },
      ...session,
    },
  });
  return id;
}

export function sessionRow({ database }: Platform, id: string): Promise<LiveSessionRow> {
  return database.prisma.liveSession.findUniqueOrThrow({ where: { id } });
}

/** All bytes that are stored of a session, in order; fails when its rows do not fit together. */
export async function storedAudio({ database }: Platform, sessionId: string): Promise<Buffer> {
  const rows = await database.prisma.liveAudio.findMany({ where: { sessionId }, orderBy: { row: 'asc' } });
  let size = 0;
  rows.forEach((row, index) => {
    if (row.row !== index + 1 || Number(row.fromByte) !== size) throw new Error(`Row ${row.row} is out of order.`);
    size += row.bytes.length;
  });
  return Buffer.concat(rows.map((row) => row.bytes));
}

/** What the worker does: everything but the last `left` bytes was heard. */
export async function hear({ database }: Platform, sessionId: string, left = 0): Promise<void> {
  await database.prisma.$queryRaw`
    update media.live_session set heard_bytes = stored_bytes - ${left}::int where id = ${sessionId}
    returning pg_notify('sauti_live', id)::text`;
}

/** A process that takes audio. */
export interface IngestServer extends AsyncDisposable {
  port: number;
  store: AudioStore;
  tokens: IngestTokens;
  ingest: LiveIngest;
  token(sessionId: string): string;
  /** How many are open. */
  connections(): Promise<number>;
}

export async function servedIngest(
  platform: Platform,
  options: {
    startWithinMs?: number;
    bodyIdleMs?: number;
    maxDurationMs?: number;
    maxConnections?: number;
    store?: AudioStore;
  } = {},
): Promise<IngestServer> {
  const { maxDurationMs, ...rest } = options;
  const store =
    options.store ?? new AudioStore(platform.database.slice(MEDIA_MODELS), platform.events, { maxDurationMs });
  const tokens = new IngestTokens(platform.secret);
  const { notifications } = platform;
  const ingest = createLiveIngest({ ...rest, tokens, store, notifications, logger: silentLogger });
  const server = createServer((request, response) => {
    lingerUnread(request, response);
    ingest.byteRoute(request, response, new URL(request.url!, 'http://test'));
  });
  server.on('upgrade', (request, socket, head) => {
    ingest.socketRoute(request, socket, head, new URL(request.url!, 'http://test'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    ...{ store, tokens, ingest },
    token: (sessionId) => tokens.make(sessionId).token,
    connections: () => promisify(server.getConnections.bind(server))(),
    async [Symbol.asyncDispose]() {
      await ingest.stop();
      await closed(server);
    },
  };
}

function closed(server: Server): Promise<void> {
  const done = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  return done;
}

/** A client of the protocol that can also say what no client should. */
export interface LiveWriter {
  socket: WebSocket;
  messages: ServerMessage[];
  closed: Promise<number>;
  say(message: object | string): void;
  /** Sends one chunk. */
  send(sequence: number, bytes: Uint8Array): void;
  receive<Type extends ServerMessage['type']>(type: Type): Promise<Extract<ServerMessage, { type: Type }>>;
  acknowledged(sequence: number): Promise<unknown>;
}

export async function aSocket(
  port: number,
  sessionId: string,
  options: { protocol?: string; headers?: Record<string, string> } = {},
): Promise<LiveWriter> {
  const protocols = options.protocol === undefined ? [] : [options.protocol];
  const socket = new WebSocket(`ws://127.0.0.1:${port}/live/${sessionId}`, protocols, {
    headers: options.headers ?? {},
  });
  const messages: ServerMessage[] = [];
  socket.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString('utf8')) as ServerMessage));
  const closed = new Promise<number>((resolve) => socket.on('close', resolve));
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => {});
  const receive: LiveWriter['receive'] = (type) =>
    waitFor(`a message ${type}`, () => messages.find((message) => message.type === type)) as never;
  return {
    ...{ socket, messages, closed, receive },
    say: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    send: (sequence, bytes) => socket.send(frameOf(sequence, bytes)),
    acknowledged: (sequence) =>
      waitFor(`the acknowledgement of ${sequence}`, () =>
        messages.some((message) => message.type === 'acknowledged' && message.sequence >= sequence),
      ),
  };
}

/** A writer that may send. */
export async function aWriter(server: IngestServer, sessionId: string): Promise<LiveWriter> {
  const writer = await aSocket(server.port, sessionId);
  writer.say({ type: 'start', token: server.token(sessionId) });
  await writer.receive('ready');
  return writer;
}

export function frameOf(sequence: number, bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(sequence);
  return Buffer.concat([head, bytes]);
}

/** PCM of so many milliseconds at 16 kHz, in which every sample has its own place. */
export function pcm(ms: number, from = 0): Buffer {
  const samples = new Int16Array(ms * 16).map((_, index) => from + index);
  return Buffer.from(samples.buffer);
}
