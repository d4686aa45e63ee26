import type { Prisma } from '../../../platform/database/prisma-client/client';
import { newId } from '../../../platform/ids';
import type { Viewer } from '../../../platform/identity/viewer';
import type { Platform } from '../../../platform/platform';
import type { MediaSlice } from '../testing';
import { aLiveTranscript, type GivenSegment } from '../testing-transcripts';
import type { RecognitionPlan } from '../transcription/recognition-plan';
import type { LiveSessionRow } from './live-session';

/** How the tests' sessions are listened to. */
const LIVE_PLAN: RecognitionPlan = {
  ...{
    engine: 'scripted',
    pinned: false,
    language: 'en-US',
    languages: [],
    speakers: null,
    keyterms: [],
    grammar: null,
  },
  ...{ perChannel: false, maskProfanity: false, redact: [], normalize: false },
};

/** A session that waits for audio, 16 kHz PCM unless it says otherwise, and how it is to be heard; answers its id. */
export async function aLiveSession(
  { database: { prisma } }: Platform,
  { plan, ...session }: Partial<Omit<LiveSessionRow, 'checkpoint'>> & { plan?: Partial<RecognitionPlan> } = {},
): Promise<string> {
  const ownerId = session.ownerId ?? newId('usr');
  const options = { ...LIVE_PLAN, ...plan };
  const { engine, language } = options;
  const transcript = { id: newId('trn'), ownerId, language: language ?? 'und', engine, options };
  await prisma.transcript.create({ data: transcript });
  const { id } = await prisma.liveSession.create({
    data: {
      ...{ id: newId('liv'), ownerId, title: 'Talk', transcriptId: transcript.id, encoding: 'PCM_S16LE' },
      ...{ sampleRate: 16_000, endpointingMs: 500, record: false, refine: false },
      ...session,
    },
  });
  return id;
}

/** A session that has been heard to its end and has yet to be recorded. */
export interface HeardSession {
  session: LiveSessionRow;
  segmentIds: string[];
  speakerIds: Record<string, string>;
}

/** A session whose sound came in these pieces, one row each; one without bytes is a flush. */
export async function aHeardSession(
  slice: MediaSlice,
  viewer: Viewer,
  pieces: readonly Uint8Array[],
  about: { segments?: readonly GivenSegment[]; session?: Partial<Prisma.LiveSessionUncheckedCreateInput> } = {},
): Promise<HeardSession> {
  const { prisma } = slice.platform.database;
  const storedBytes = pieces.reduce((sum, { length }) => sum + length, 0);
  const stored = { storedRows: pieces.length, storedBytes, isComplete: true, state: 'ENDING' } as const;
  const { sessionId, segmentIds, speakerIds } = await aLiveTranscript(slice, viewer, about.segments ?? [], {
    state: 'COMPLETE',
    options: LIVE_PLAN,
    session: { ...stored, ...about.session },
  });
  let fromByte = 0;
  const rows = pieces.map((bytes, index) => {
    const row = { sessionId, row: index + 1, fromByte, bytes: Buffer.from(bytes), lastSequence: index + 1 };
    fromByte += bytes.length;
    return { ...row, flush: bytes.length === 0 };
  });
  await prisma.liveAudio.createMany({ data: rows });
  const session = await prisma.liveSession.findUniqueOrThrow({ where: { id: sessionId } });
  return { session, segmentIds, speakerIds };
}

/** The bytes in pieces of this length. */
export function inPieces(bytes: Uint8Array, length: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / length) }, (_, index) =>
    bytes.subarray(index * length, (index + 1) * length),
  );
}
