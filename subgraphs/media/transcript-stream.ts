import { SautiError } from '../../platform/errors';
import type { EventLog } from '../../platform/events/event-log';
import { openStream, type StreamGap, type StreamItem, type StreamSource } from '../../platform/events/stream';
import { isId } from '../../platform/ids';
import type { Viewer } from '../../platform/identity/viewer';
import { FINAL_STATES, snapshotOf } from '../../platform/jobs/job';
import { transcriptTopic, type TranscriptEvent } from './events';
import type { MediaRecords, MediaTransaction, SegmentRow, TranscriptRow } from './records';

type Finished = Extract<TranscriptEvent, { type: 'transcript.finished' }>;
/** What events say that were written before segments had a state, channels and speakers, and what is said live. */
const EARLIER_SEGMENT = { state: 'FINAL', channel: 0, speakerId: null, stableWords: 0, turnEnd: null } as const;

type Content = { type: 'segment.changed'; segment: SegmentRow } | (Finished & { transcriptId: string });

/** One event as the subscription shows it. */
export type TranscriptStreamEvent = StreamItem<Content> | StreamGap;

interface Services {
  records: MediaRecords;
  events: EventLog;
}

/**
 * The events of the viewer's transcript from the beginning, or with `snapshot` what it is now and every later event, until
 * it is finished or the signal aborts; see {@link openStream} for cursors and gaps. Throws NOT_FOUND for one that is
 * unknown or not, or no longer, the viewer's, and BAD_USER_INPUT (no cursor of this stream).
 */
export function openTranscriptStream(
  services: Services,
  viewer: Viewer,
  wanted: { transcriptId: string; after?: string | null | undefined; snapshot?: boolean | null | undefined },
  signal: AbortSignal,
): AsyncGenerator<TranscriptStreamEvent, void, void> {
  const { transcriptId, after, snapshot } = wanted;
  return openStream(services.events, transcriptTopic(transcriptId), sourceOf(services, viewer, transcriptId), {
    after,
    start: snapshot ? 'present' : 0,
    signal,
  });
}

function sourceOf(services: Services, viewer: Viewer, transcriptId: string): StreamSource<TranscriptEvent, Content> {
  const { records, events } = services;
  const topic = transcriptTopic(transcriptId);
  /** Behind this event there are no others; null while it is not known to be the last one. */
  let last: number | null = null;
  const transcriptNow = async (tx?: MediaTransaction): Promise<TranscriptRow> => {
    const ids = isId('trn', transcriptId) ? [transcriptId] : [];
    const [transcript] = await records.transcriptsByIds(ids, viewer.userId, tx);
    if (!transcript) throw new SautiError('NOT_FOUND', 'You have no transcript with this ID.');
    return transcript;
  };
  /** Read behind the state, the head of a finished transcript is the last event there is. */
  const lookForEnd = async (): Promise<number> => {
    const isOver = await isFinished(services, viewer, await transcriptNow());
    const head = await events.head(topic);
    last = isOver ? head : null;
    return head;
  };
  return {
    async present(isTold) {
      if (!isTold) return { head: await lookForEnd(), items: [] };
      const present = await records.momentOf(async (tx) => presentOf(services, viewer, await transcriptNow(tx), tx));
      last = present.isFinished ? present.head : null;
      return present;
    },
    async contentOf(event) {
      if (event.type === 'segment.changed') return { ...event, segment: { ...EARLIER_SEGMENT, ...event.segment } };
      if (event.type !== 'transcript.finished') return null; // told of the live session, by its own stream
      await lookForEnd(); // it may have been begun again since, or even have ended again
      return { ...event, transcriptId };
    },
    isOver: (position) => last !== null && position >= last,
    check: async () => void (await transcriptNow()),
  };
}

/** Whether it will not grow any more: a failed one does when its job is tried again. What was said live has no job. */
async function isFinished(
  { records }: Services,
  viewer: Viewer,
  { state, jobId }: TranscriptRow,
  tx?: MediaTransaction,
): Promise<boolean> {
  if (state === 'TRANSCRIBING' || state === 'COMPLETE') return state === 'COMPLETE';
  const [job] = jobId === null ? [] : await records.jobsByIds([jobId], viewer.userId, tx);
  return !job || FINAL_STATES.includes(job.state);
}

/** The segments in the order of the recording and, when there will be no more, how it ended. */
async function presentOf(
  services: Services,
  viewer: Viewer,
  transcript: TranscriptRow,
  tx: MediaTransaction,
): Promise<{ head: number; items: Content[]; isFinished: boolean }> {
  const { records, events } = services;
  const { id, state } = transcript;
  const head = await events.head(transcriptTopic(id), tx);
  const segments = await records.segments(id, {}, tx);
  const items = segments.map((segment): Content => ({ type: 'segment.changed', segment }));
  if (!(await isFinished(services, viewer, transcript, tx))) return { head, items, isFinished: false };
  const error = state === 'FAILED' ? await failureOf(records, viewer, transcript, tx) : null;
  items.push({
    type: 'transcript.finished',
    state: state as Finished['state'],
    error,
    removedSegmentIds: [],
    transcriptId: id,
  });
  return { head, items, isFinished: true };
}

/** What its job or its live session has failed of. */
async function failureOf(
  records: MediaRecords,
  viewer: Viewer,
  { id, jobId }: TranscriptRow,
  tx: MediaTransaction,
): Promise<Finished['error']> {
  if (jobId === null) {
    const failure = await records.liveFailure(id, tx);
    return failure && { ...failure, retryable: false };
  }
  const [job] = await records.jobsByIds([jobId], viewer.userId, tx);
  return job ? snapshotOf(job).error : null;
}
