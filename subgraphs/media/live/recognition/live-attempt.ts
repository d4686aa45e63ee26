import type { Flag } from '../../../../platform/events/flag';
import type { LiveDecoderOptions, LiveEngine } from '../../transcriber/live/live-decoder';
import type { Checkpoint } from '../../transcription/checkpoint';
import type { RecognitionPlan } from '../../transcription/recognition-plan';
import type { LiveSessionRow } from '../live-session';
import { readSound } from './audio-reader';
import { CaptionWriter } from './caption-writer';
import { Captions } from './captions';
import type { LiveCheckpoint } from './checkpoint';
import { LiveHearing } from './live-hearing';
import type { RecognitionRecords } from './recognition-records';
import { RowReader, type RowsEnd } from './row-reader';

/** One try to hear a session, from a checkpoint on. */
export interface Attempt {
  session: LiveSessionRow;
  plan: RecognitionPlan;
  engine: LiveEngine;
  checkpoint: LiveCheckpoint;
  records: RecognitionRecords;
  /** Raised when there may be more audio. */
  news: Flag;
  signal: AbortSignal;
}

/** How it ended, and what was heard by then. */
export interface Heard {
  end: RowsEnd;
  heardMs: number;
  total: Checkpoint;
}

/** Hears what is sent until it is complete, or pauses. Throws what engine, decoder or database throw, or the signal's reason. */
export async function hearSession(attempt: Attempt): Promise<Heard> {
  const stop = new AbortController();
  const signal = AbortSignal.any([attempt.signal, stop.signal]);
  try {
    return await hear({ ...attempt, signal }, (error) => stop.abort(error));
  } catch (error) {
    signal.throwIfAborted(); // what failed first, and not what that has broken
    throw error;
  }
}

async function hear(attempt: Attempt, failed: (error: unknown) => void): Promise<Heard> {
  const { session, plan, engine, checkpoint, records, news, signal } = attempt;
  const [known, speakerId] = await Promise.all([
    records.segmentsBehind(checkpoint.total.segmentCount),
    records.speakerId(),
  ]);
  await using decoder = await engine.open({ ...wishesOf(plan), state: checkpoint.decoder ?? undefined, signal });
  const revisions = new Map([...known.values()].map(({ id, revision }) => [id, revision]));
  const writer = new CaptionWriter(records, revisions, failed);
  const { transcriptId, endpointingMs: pauseMs } = session;
  const captions = new Captions({ plan, transcriptId, speakerId, known, writer, total: checkpoint.total });
  const reader = new RowReader(records, news, signal);
  const lagMs = (heardMs: number): number => lagOf(session, reader.storedBytes, heardMs);
  const hearing = new LiveHearing({ decoder, captions, writer, checkpoint, pauseMs, lagMs });
  try {
    const end = await hearAll(readSound({ session, checkpoint, records, reader, signal }), hearing);
    return { end, heardMs: hearing.heardMs, total: captions.total };
  } finally {
    await writer.settled().catch(() => undefined); // the next attempt has to find all that this one writes
  }
}

async function hearAll(sound: ReturnType<typeof readSound>, hearing: LiveHearing): Promise<RowsEnd> {
  try {
    for (;;) {
      const { value, done } = await sound.next();
      if (done) {
        await (value === 'complete' ? hearing.end() : hearing.pause());
        return value;
      }
      await (value.type === 'flush' ? hearing.flush(value.row) : hearing.hear(value.samples, value));
    }
  } finally {
    await sound.return('paused');
  }
}

function wishesOf({ language, keyterms, grammar }: RecognitionPlan): Omit<LiveDecoderOptions, 'state' | 'signal'> {
  const isVocabulary = keyterms.length > 0 || grammar !== null;
  return {
    ...(language === null ? {} : { language }),
    ...(isVocabulary ? { vocabulary: { keyterms, ...(grammar === null ? {} : { grammar }) } } : {}),
  };
}

/** How much has been stored behind what was heard. How long a container plays is not known before it is decoded: then 0. */
function lagOf({ encoding, sampleRate }: LiveSessionRow, storedBytes: number, heardMs: number): number {
  return encoding === 'CONTAINER' ? 0 : (storedBytes / 2 / sampleRate) * 1_000 - heardMs;
}
