import type { LiveSessionRow } from '../live-session';
import { formatOf, MAX_CHUNK_MS } from './audio-format';
import type { IngestToken, IngestTokens } from './ingest-token';

/** `LiveIngest` of the graph: where and how to send audio. */
export interface Invitation extends IngestToken {
  webSocketUrl: string;
  httpUrl: string;
  encodings: string[];
  sampleRate: number | null;
  maxChunkMs: number;
  maxChunkBytes: number;
}

/** Invites a writer with a new token; null when the session takes no more audio. `publicUrl` is that of this subgraph's routes. */
export function inviteWriter(session: LiveSessionRow, tokens: IngestTokens, publicUrl: string): Invitation | null {
  if (session.isComplete || session.state === 'ENDED' || session.state === 'FAILED') return null;
  const httpUrl = new URL(`live/${session.id}`, publicUrl.endsWith('/') ? publicUrl : `${publicUrl}/`).href;
  const isPcm = session.encoding === 'PCM_S16LE';
  return {
    ...tokens.make(session.id),
    httpUrl,
    webSocketUrl: httpUrl.replace(/^http/, 'ws'),
    encodings: isPcm ? ['pcm_s16le'] : ['webm', 'ogg', 'mp3'],
    sampleRate: isPcm ? session.sampleRate : null,
    maxChunkMs: MAX_CHUNK_MS,
    maxChunkBytes: formatOf(session).maxChunkBytes,
  };
}
