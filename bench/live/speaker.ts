import { setTimeout as sleep } from 'node:timers/promises';
import WebSocket from 'ws';
import type { SautiStage } from '../media/sauti-stage';

/** A client sends what its microphone has heard this often; the default of `client/live-audio.ts`. */
const CHUNK_MS = 50;
const BYTES_PER_MS = 32;

export interface Session {
  id: string;
  transcriptId: string;
  ingest: { webSocketUrl: string; token: string };
}

export async function startSession({ account }: SautiStage, input: object = {}): Promise<Session> {
  const { started } = await account.ask<{ started: { session: Started | null; errors: unknown[] } }>(
    `mutation ($input: StartLiveSessionInput!) { started: startLiveSession(input: $input) {
       session { id transcript { id } ingest { webSocketUrl token } } errors { code message } } }`,
    { input: { title: 'Benchmark', record: false, options: { language: 'en' }, ...input } },
  );
  if (!started.session) throw new Error(`No session was started: ${JSON.stringify(started.errors)}`);
  const { id, transcript, ingest } = started.session;
  return { id, transcriptId: transcript.id, ingest };
}

interface Started {
  id: string;
  transcript: { id: string };
  ingest: Session['ingest'];
}

/** Speaking that has begun; `startedAt` is when its first sample was spoken, in milliseconds of `performance.now()`. */
export interface Speaking {
  startedAt: number;
  /** Resolves when everything has been sent and the session was told so. */
  done: Promise<void>;
}

/** Sends samples as a microphone does: each chunk when it has been spoken, and not before. */
export async function speak({ ingest }: Session, samples: Buffer): Promise<Speaking> {
  const socket = new WebSocket(ingest.webSocketUrl);
  const refused = new Promise<never>((_, reject) => {
    socket.once('error', reject);
    socket.once('close', (code, reason) => reject(new Error(`The audio socket closed: ${code} ${reason.toString()}`)));
  });
  refused.catch(() => undefined);
  await Promise.race([new Promise((resolve) => socket.once('open', resolve)), refused]);
  const ready = new Promise((resolve) => socket.once('message', resolve));
  socket.send(JSON.stringify({ type: 'start', token: ingest.token }));
  await Promise.race([ready, refused]);
  const startedAt = performance.now();
  return { startedAt, done: sendInTime(socket, samples, startedAt) };
}

async function sendInTime(socket: WebSocket, samples: Buffer, startedAt: number): Promise<void> {
  const chunkBytes = CHUNK_MS * BYTES_PER_MS;
  for (let number = 1, from = 0; from < samples.length; number++, from += chunkBytes) {
    await sleep(startedAt + number * CHUNK_MS - performance.now());
    const head = Buffer.alloc(4);
    head.writeUInt32BE(number);
    socket.send(Buffer.concat([head, samples.subarray(from, from + chunkBytes)]));
  }
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.send(JSON.stringify({ type: 'end' }));
  await closed;
}
