import { announceCredits } from '../../../../platform/credits/account';
import { spend } from '../../../../platform/credits/ledger';
import { livePriceOf } from '../../../../platform/credits/prices';
import { Prisma } from '../../../../platform/database/prisma-client/client';
import { isDatabaseUnavailable } from '../../../../platform/errors';
import { pause } from '../../../../platform/pause';
import type { Platform } from '../../../../platform/platform';
import { transcriptTopic, type TranscriptEvent } from '../../events';
import { asSegmentRow, MEDIA_MODELS, type MediaTransaction, type SegmentRow } from '../../records';
import { beginRefinement } from '../../refining/begin-refinement';
import type { TranscriberInfo } from '../../transcriber/transcriber';
import { confidenceOf, languageOf, type Checkpoint } from '../../transcription/checkpoint';
import { growthRecords, type TranscriptChange } from '../../transcription/growth-records';
import { parsePlan } from '../../transcription/recognition-plan';
import { announceSession } from '../ingest/audio-records';
import { liveSessionSnapshot, type LiveSessionRow } from '../live-session';
import type { RecognitionRecords } from './recognition-records';
import { recordingOf, RecordingRefused, type Recording } from './recording';
import { removeAudio } from './remove-audio';

/**
 * Storage that fails is tried again after these times, in milliseconds: five minutes in all, for somebody to make room. The
 * session keeps its place meanwhile; then it ends without a recording, because nobody else could have the place otherwise.
 */
const RETRIES_MS = [2_000, 4_000, 8_000, 16_000, 30_000, 60_000, 60_000, 60_000, 60_000];
const NOT_STORED = 'The recording could not be stored. What was heard is complete, but there is no recording.';

/** Why a session has FAILED, as its owner is told. */
export interface SessionFailure {
  code: string;
  message: string;
}

/** A session that comes to its end here. */
export interface Ending {
  platform: Platform;
  records: RecognitionRecords;
  session: LiveSessionRow;
  engine: Pick<TranscriberInfo, 'id' | 'version'>;
  total: Checkpoint;
  signal: AbortSignal;
  /** When storing the recording is tried again, in milliseconds between two tries; default: for five minutes. */
  retriesMs?: readonly number[] | undefined;
}

/**
 * Everything was heard: makes the recording and ends session and transcript with it; where there can be none, the session
 * says why. `heardMs` is how long it was.
 */
export async function endSession(ending: Ending, heardMs: number): Promise<void> {
  const { platform, records, session, total } = ending;
  const made = await recordingFor(ending);
  await using recording = made instanceof RecordingRefused ? null : made;
  const refusal = made instanceof RecordingRefused ? { errorCode: made.code, errorMessage: made.message } : {};
  await records.transaction(async (tx) => {
    const mediaId = (await recording?.keep(tx, ending.engine)) ?? null;
    const change = { confidence: confidenceOf(total), durationMs: heardMs, ...(await detected(tx, ending)) };
    await close(tx, ending, {
      transcript: { state: 'COMPLETE', ...change },
      session: { state: 'ENDED', mediaId, ...refusal },
      events: [{ type: 'transcript.finished', state: 'COMPLETE', error: null, removedSegmentIds: [] }],
    });
    const spent = await pay(tx, session, heardMs);
    if (mediaId !== null && session.refine) await beginRefinement(tx, platform.events, session.transcriptId);
    if (spent > 0) await announceCredits(tx, platform.events, session.ownerId);
  });
  await removeAudio(platform.database, session.id);
}

/** Nothing can hear the session: what was heard before is kept, and the recording, if one was wanted and can be made. */
export async function failSession(ending: Ending, failure: SessionFailure): Promise<void> {
  const { platform, records, session } = ending;
  const error = { ...failure, retryable: false };
  await records.transaction(async (tx) => {
    const removed = await removeOpenSegments(tx, session.transcriptId);
    const events = removed.map((segment): TranscriptEvent => ({ type: 'segment.changed', segment }));
    await close(tx, ending, {
      transcript: { state: 'FAILED' },
      session: { state: 'FAILED', errorCode: failure.code, errorMessage: failure.message },
      events: [...events, { type: 'transcript.finished', state: 'FAILED', error, removedSegmentIds: [] }],
    });
  });
  await keepLate(ending);
  await removeAudio(platform.database, session.id);
}

/** A session that has been heard costs what the account still has for it; its start asks for one credit at least. */
function pay(tx: MediaTransaction, { id, ownerId }: LiveSessionRow, heardMs: number): Promise<number> {
  return spend(tx, { ownerId, credits: livePriceOf(heardMs), note: `Live session ${id}` });
}

async function close(
  tx: MediaTransaction,
  { platform, session: { id, transcriptId } }: Ending,
  end: {
    transcript: TranscriptChange;
    session: Prisma.LiveSessionUncheckedUpdateInput;
    events: TranscriptEvent[];
  },
): Promise<void> {
  await growthRecords.deleteSilentSpeakers(tx, transcriptId);
  await growthRecords.changeTranscript(tx, transcriptId, end.transcript);
  const data = { ...end.session, workerId: null, checkpoint: Prisma.DbNull, endedAt: new Date() };
  const session = liveSessionSnapshot(await tx.liveSession.update({ where: { id }, data }));
  const events = [...end.events, { type: 'session.changed', session } as const];
  await platform.events.appendAll(tx, transcriptTopic(transcriptId), events);
}

/** Of the session as it is now that nothing is added to it. A disk that is full may have room later; see `retriesMs`. */
async function recordingFor(
  ending: Ending,
  [waitMs, ...later] = ending.retriesMs ?? RETRIES_MS,
): Promise<Recording | RecordingRefused | null> {
  const { platform, signal } = ending;
  const { id } = ending.session;
  const session = await platform.database.prisma.liveSession.findUniqueOrThrow({ where: { id } });
  try {
    return await recordingOf(platform, session, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (isDatabaseUnavailable(error)) throw error; // the session cannot be ended either
    platform.logger.warn({ error, sessionId: id }, 'there is no recording of a live session yet');
    if (error instanceof RecordingRefused) return error;
    if (waitMs === undefined) return new RecordingRefused('INTERNAL', NOT_STORED, { cause: error });
  }
  await pause(waitMs, signal);
  return recordingFor(ending, later);
}

/** The session has failed already: nobody waits for its recording, and it may fail too. */
async function keepLate(ending: Ending): Promise<void> {
  const { platform, session, engine } = ending;
  try {
    const made = await recordingFor(ending);
    if (!made || made instanceof RecordingRefused) return;
    await using recording = made;
    await platform.database.slice(MEDIA_MODELS).transaction(async (tx) => {
      const mediaId = await recording.keep(tx, engine);
      await tx.liveSession.update({ where: { id: session.id }, data: { mediaId } });
      await announceSession(platform.events, tx, session.id);
    });
  } catch (error) {
    platform.logger.error({ error, sessionId: session.id }, 'the recording of a failed live session cannot be kept');
  }
}

/** What is not final is no part of the transcript; answers how it is told. */
async function removeOpenSegments(tx: MediaTransaction, transcriptId: string): Promise<SegmentRow[]> {
  const where = { transcriptId, state: 'PARTIAL' } as const;
  const rows = await tx.segment.findMany({ where, orderBy: { position: 'asc' } });
  await tx.segment.deleteMany({ where: { ...where, id: { in: rows.map(({ id }) => id) } } });
  return rows.map((row) => ({
    ...asSegmentRow(row),
    ...{ revision: row.revision + 1, state: 'FINAL', text: '', words: [], stableWords: 0, confidence: null },
  }));
}

/** The language that was spoken, where nobody had said which. */
async function detected(tx: MediaTransaction, { session, total }: Ending): Promise<TranscriptChange> {
  const { options } = await growthRecords.transcript(tx, session.transcriptId);
  const found = parsePlan(options).language === null ? languageOf(total) : null;
  return found ? { language: found.language, languageConfidence: found.confidence } : {};
}
