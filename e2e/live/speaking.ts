import { setTimeout as sleep } from 'node:timers/promises';
import WebSocket from 'ws';
import { LiveAudio } from '../../client/live-audio';
import { LiveSessionDocument, StartLiveSessionDocument } from '../../client/operations.generated';
import type { Person } from '../people';

const CHUNK_MS = 100;
const BYTES_PER_MS = 32;

export async function startLive({ client }: Person, input: { record?: boolean } = {}): Promise<string> {
  const { startLiveSession } = await client.request(StartLiveSessionDocument, {
    input: { title: 'What was said', options: { language: 'en' }, ...input },
  });
  expect(startLiveSession.errors).toEqual([]);
  return startLiveSession.session!.id;
}

/** A microphone that sends to the session through a proxy at this address; `client.liveAudio` is one without. */
export function microphoneVia({ client }: Person, sessionId: string, proxy: string): LiveAudio {
  return new LiveAudio({
    webSocketImpl: WebSocket,
    async place() {
      const { liveSession } = await client.request(LiveSessionDocument, { id: sessionId });
      const { ingest, acknowledgedSequence } = liveSession!;
      return {
        acknowledgedSequence,
        ingest: ingest && { ...ingest, webSocketUrl: by(proxy, ingest.webSocketUrl) },
      };
    },
  });
}

function by(proxy: string, webSocketUrl: string): string {
  const url = new URL(webSocketUrl);
  url.host = new URL(proxy).host;
  return url.href;
}

/** The samples as somebody says them, `speed` times as fast; `at` is told how much has been said, in milliseconds. */
export async function* spoken(
  samples: Buffer,
  speed: number,
  at: (ms: number) => void = () => {},
): AsyncGenerator<Buffer, void, void> {
  const startedAt = performance.now();
  for (let ms = 0; ms * BYTES_PER_MS < samples.length; ms += CHUNK_MS) {
    yield samples.subarray(ms * BYTES_PER_MS, (ms + CHUNK_MS) * BYTES_PER_MS);
    at(ms + CHUNK_MS);
    await sleep(startedAt + (ms + CHUNK_MS) / speed - performance.now());
  }
}
