import { newId } from '../../../platform/ids';
import type { Viewer } from '../../../platform/identity/viewer';
import type { SubgraphResult } from '../../../platform/subgraph/subgraph';
import { askFor, identityOf } from '../../../platform/testing/calls';
import { transcriptTopic, type TranscriptEvent } from '../events';
import { MEDIA_MODELS, MediaRecords, type SegmentRow } from '../records';
import type { MediaSlice, Problem } from '../testing';
import { liveSessionSnapshot, type LiveSessionRow } from './live-session';

/** A worker for live sessions as its row says: seen `agoMs` ago. */
export async function aLiveWorker({ platform }: MediaSlice, places: number, agoMs = 0): Promise<string> {
  const id = `worker-${newId('job')}`;
  await platform.database.prisma.$executeRaw`
    insert into media.live_worker (id, places, seen_at)
    values (${id}, ${places}, clock_timestamp() - make_interval(secs => ${agoMs / 1_000}))`;
  return id;
}

/** A worker that is seen whatever the machine is at. */
export async function aLastingWorker(slice: MediaSlice, places: number): Promise<string> {
  return aLiveWorker(slice, places, -3_600_000);
}

export interface ShownLive {
  id: string;
  state: string;
  title: string;
  engine: string;
  cursor: string;
  acknowledgedSequence: number;
  storedBytes: number;
  transcript: { id: string; state: string; language: string };
}

export interface LivePayload {
  session: ShownLive | null;
  errors: (Problem & { retryAfterMs: number | null })[];
}

export const LIVE = `id state title engine cursor acknowledgedSequence storedBytes transcript { id state language }`;

/** Calls one of the mutations that answer a LiveSessionPayload. */
export async function changeLive(
  { subgraph }: MediaSlice,
  viewer: Viewer,
  [field, type]: readonly [field: string, inputType: string],
  input: object,
): Promise<LivePayload> {
  const query = `mutation Go($input: ${type}!) { payload: ${field}(input: $input) {
    session { ${LIVE} } errors { code message path retryAfterMs } } }`;
  return (await askFor<{ payload: LivePayload }>(subgraph, viewer, query, { input })).payload;
}

export function startLive(slice: MediaSlice, viewer: Viewer, input: object = {}): Promise<LivePayload> {
  return changeLive(slice, viewer, ['startLiveSession', 'StartLiveSessionInput'], { title: 'Talk', ...input });
}

/** What a worker writes of a session, event for event. */
export class WrittenLive {
  private readonly records: MediaRecords;

  constructor(
    private readonly slice: MediaSlice,
    readonly sessionId: string,
    readonly transcriptId: string,
  ) {
    this.records = new MediaRecords(slice.platform.database.slice(MEDIA_MODELS));
  }

  /** Says this much of the segment at a position, as its next revision. */
  async say(position: number, text: string, state: SegmentRow['state'] = 'PARTIAL'): Promise<void> {
    const { transcriptId } = this;
    const { prisma } = this.slice.platform.database;
    const before = await prisma.segment.findUnique({ where: { transcriptId_position: { transcriptId, position } } });
    const segment: SegmentRow = {
      ...{ id: before?.id ?? newId('seg'), transcriptId, position, revision: (before?.revision ?? 0) + 1, state, text },
      ...{ channel: 0, speakerId: null, confidence: null, language: 'en-US', words: [], stableWords: 0, turnEnd: null },
      ...{ startMs: position * 1_000, endMs: position * 1_000 + 900 },
    };
    await this.records.transaction(async (tx) => {
      await this.records.writeSegment(tx, segment);
      await this.append(tx, { type: 'segment.changed', segment });
    });
  }

  /** What began as speech at a position was none. */
  async takeBack(position: number): Promise<void> {
    await this.say(position, '', 'FINAL');
    const { prisma } = this.slice.platform.database;
    await prisma.segment.deleteMany({ where: { transcriptId: this.transcriptId, position } });
  }

  async boundary(speaking: boolean, atMs: number): Promise<void> {
    await this.records.transaction((tx) => this.append(tx, { type: 'speech.boundary', speaking, atMs }));
  }

  /** Changes the session's row and tells it. */
  async become(data: Partial<Pick<LiveSessionRow, 'state' | 'errorCode' | 'errorMessage' | 'endedAt'>>): Promise<void> {
    await this.records.transaction(async (tx) => {
      const row = await tx.liveSession.update({ where: { id: this.sessionId }, data });
      await this.append(tx, { type: 'session.changed', session: liveSessionSnapshot(row) });
    });
  }

  /** As a worker ends it: the transcript first, the session last. */
  async end(): Promise<void> {
    await this.records.transaction(async (tx) => {
      await tx.transcript.update({ where: { id: this.transcriptId }, data: { state: 'COMPLETE' } });
      const end: TranscriptEvent = {
        type: 'transcript.finished',
        state: 'COMPLETE',
        error: null,
        removedSegmentIds: [],
      };
      const data = { state: 'ENDED', endedAt: new Date() } as const;
      const row = await tx.liveSession.update({ where: { id: this.sessionId }, data });
      await this.append(tx, end, { type: 'session.changed', session: liveSessionSnapshot(row) });
    });
  }

  private async append(tx: Parameters<Parameters<MediaRecords['transaction']>[0]>[0], ...events: TranscriptEvent[]) {
    await this.slice.platform.events.appendAll(tx, transcriptTopic(this.transcriptId), events);
  }
}

export interface LiveEvent {
  __typename: 'SegmentChanged' | 'SpeechBoundary' | 'LiveSessionChanged' | 'StreamGap';
  cursor: string;
  isSnapshot?: boolean;
  segment?: { id: string; revision: number; state: string; text: string; startMs: number };
  speaking?: boolean;
  atMs?: number;
  session?: { id: string; state: string; title: string; cursor: string; endedAt: string | null };
  reason?: string;
  missed?: number | null;
}

export interface FollowLive extends Record<string, unknown> {
  id: string;
  after?: string | undefined;
  snapshot?: boolean;
  stability?: 'WORDS' | 'SENTENCES';
}

const FOLLOW = `subscription Follow($id: ID!, $after: String, $snapshot: Boolean, $stability: Stability) {
  liveTranscript(sessionId: $id, after: $after, snapshot: $snapshot, stability: $stability) {
    __typename
    ... on StreamEvent { cursor at }
    ... on SegmentChanged { isSnapshot segment { id revision state text startMs } }
    ... on SpeechBoundary { isSnapshot speaking atMs }
    ... on LiveSessionChanged { isSnapshot session { id state title cursor endedAt transcript { id } } }
    ... on StreamGap { reason missed } } }`;

/** The raw results of `liveTranscript`. */
export function followLive(
  { subgraph }: MediaSlice,
  viewer: Viewer | null,
  variables: FollowLive,
): AsyncGenerator<SubgraphResult, void, void> {
  const signal = new AbortController().signal;
  return subgraph.subscribe({ query: FOLLOW, variables }, { identity: identityOf(viewer), signal });
}

/** The first `count` events, or all until the stream completes. */
export async function takeLive(
  slice: MediaSlice,
  viewer: Viewer,
  variables: FollowLive,
  count = Infinity,
): Promise<LiveEvent[]> {
  const stream = followLive(slice, viewer, variables);
  const events: LiveEvent[] = [];
  while (events.length < count) {
    const { value } = await stream.next();
    if (!value) return events;
    if (value.errors) throw new Error(JSON.stringify(value.errors));
    events.push((value.data as { liveTranscript: LiveEvent }).liveTranscript);
  }
  await stream.return();
  return events;
}
