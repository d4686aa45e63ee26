import type { Prisma, SegmentState } from '../../platform/database/prisma-client/client';
import { newId } from '../../platform/ids';
import type { Viewer } from '../../platform/identity/viewer';
import { anUpload } from '../../platform/testing/calls';
import type { TranscriptState } from './records';
import { aWav, createMedia, type MediaSlice } from './testing';
import type { RecognizedSegment } from './transcriber/transcriber';

export interface GivenSegment extends RecognizedSegment {
  channel?: number;
  /** One speaker for each key, called the same. */
  speakerKey?: string;
  state?: SegmentState;
  stableWords?: number;
}

export interface Given {
  mediaId: string;
  transcriptId: string;
  segmentIds: string[];
  /** By key. */
  speakerIds: Record<string, string>;
}

/** A recording with a transcript as a job would have left it; `bytes` are 10 s of silence by default. */
export async function aTranscript(
  slice: MediaSlice,
  viewer: Viewer,
  segments: readonly GivenSegment[],
  about: {
    title?: string;
    description?: string;
    tags?: string[];
    language?: string;
    state?: TranscriptState;
    bytes?: Buffer;
    options?: Prisma.InputJsonObject;
  } = {},
): Promise<Given> {
  const { title = 'Talk', description = null, tags = [], bytes = aWav(10) } = about;
  const upload = anUpload(bytes, 'talk.wav');
  const { media } = await createMedia(slice, viewer, { upload, title, description, tags });
  return { mediaId: media!.id, ...(await anotherTranscript(slice, media!.id, segments, about)) };
}

/** One more transcript of a recording. */
export async function anotherTranscript(
  slice: MediaSlice,
  mediaId: string,
  segments: readonly GivenSegment[],
  about: { language?: string; state?: TranscriptState; options?: Prisma.InputJsonObject } = {},
): Promise<Omit<Given, 'mediaId'>> {
  const { language = 'en-US', state = 'COMPLETE', options = {} } = about;
  const { prisma } = slice.platform.database;
  const { ownerId } = await prisma.media.findUniqueOrThrow({ where: { id: mediaId } });
  const id = newId('trn');
  const transcript = { id, ownerId, mediaId, jobId: newId('job'), language, engine: 'scripted', state, options };
  await prisma.transcript.create({ data: transcript });
  return { transcriptId: id, ...(await addSegments(slice, id, segments)) };
}

/** What was said in a live session so far, as a worker would have left it: without a job, and without a recording. */
export async function aLiveTranscript(
  slice: MediaSlice,
  viewer: Viewer,
  segments: readonly GivenSegment[],
  about: {
    state?: TranscriptState;
    options?: Prisma.InputJsonObject;
    session?: Partial<Prisma.LiveSessionUncheckedCreateInput>;
  } = {},
): Promise<Omit<Given, 'mediaId'> & { sessionId: string }> {
  const { state = 'TRANSCRIBING', options = {}, session = {} } = about;
  const { prisma } = slice.platform.database;
  const [transcriptId, sessionId, ownerId] = [newId('trn'), newId('liv'), viewer.userId];
  const transcript = { id: transcriptId, ownerId, language: 'en-US', engine: 'scripted', state, options };
  await prisma.transcript.create({ data: transcript });
  const sound = { encoding: 'PCM_S16LE', sampleRate: 16_000, endpointingMs: 500 } as const;
  const asked = { title: 'Live', ...sound, record: true, refine: false, state: 'LIVE' } as const;
  await prisma.liveSession.create({ data: { id: sessionId, ownerId, transcriptId, ...asked, ...session } });
  return { transcriptId, sessionId, ...(await addSegments(slice, transcriptId, segments)) };
}

async function addSegments(
  { platform }: MediaSlice,
  transcriptId: string,
  segments: readonly GivenSegment[],
): Promise<Pick<Given, 'segmentIds' | 'speakerIds'>> {
  const { prisma } = platform.database;
  const keys = [...new Set(segments.flatMap(({ speakerKey }) => speakerKey ?? []))];
  const speakerIds = Object.fromEntries(keys.map((key) => [key, newId('spk')]));
  const speakers = keys.map((key) => ({ id: speakerIds[key]!, transcriptId, key, label: key }));
  await prisma.speaker.createMany({ data: speakers });
  const rows = segments.map(({ index, speakerKey, words, ...segment }) => ({
    ...segment,
    id: newId('seg'),
    transcriptId,
    position: index,
    speakerId: speakerKey === undefined ? null : speakerIds[speakerKey]!,
    words: words as unknown as Prisma.InputJsonArray,
  }));
  await prisma.segment.createMany({ data: rows });
  return { segmentIds: rows.map(({ id }) => id), speakerIds };
}
