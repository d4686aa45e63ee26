import type { Platform } from '../../../platform/platform';
import { formatOf, MAX_CHUNK_MS } from './ingest/audio-format';
import type { IngestTokens } from './ingest/ingest-token';
import { isFinalLiveState, type LiveSessionRow } from './live-session';

/** Where and how the audio of a session is sent; `LiveIngest` of the graph. */
export interface IngestAddress {
  webSocketUrl: string;
  httpUrl: string;
  token: string;
  expiresAt: Date;
  encodings: string[];
  sampleRate: number | null;
  maxChunkMs: number;
  maxChunkBytes: number;
}

/** Told by the bytes themselves: the name is for people. */
const CONTAINERS = ['webm', 'ogg', 'mp3'];

/** The address with a token of its own; null for a session that takes no more audio. */
export function ingestAddress(
  session: LiveSessionRow,
  { tokens, publicUrl }: { tokens: IngestTokens } & Pick<Platform, 'publicUrl'>,
): IngestAddress | null {
  if (session.isComplete || isFinalLiveState(session.state)) return null;
  const httpUrl = `${publicUrl()}/live/${session.id}`;
  const isPcm = session.encoding === 'PCM_S16LE';
  return {
    webSocketUrl: httpUrl.replace(/^http/, 'ws'),
    httpUrl,
    ...tokens.make(session.id),
    encodings: isPcm ? ['pcm_s16le'] : CONTAINERS,
    sampleRate: isPcm ? session.sampleRate : null,
    maxChunkMs: MAX_CHUNK_MS,
    maxChunkBytes: formatOf(session).maxChunkBytes,
  };
}
