import { askFor, aViewer, firstOf } from '../../../platform/testing/calls';
import { transcriptTopic, type TranscriptEvent } from '../events';
import { MEDIA_MODELS, MediaRecords, type SegmentRow } from '../records';
import {
  aScript,
  follow,
  heard,
  openMediaSlice,
  scripted,
  wholeStream,
  type MediaSlice,
  type Problem,
} from '../testing';
import { aLiveTranscript, type GivenSegment } from '../testing-transcripts';
import { liveSessionSnapshot } from './live-session';

const viewer = aViewer();
const SAID: GivenSegment[] = [
  { ...heard(0, 1_000, 'The feather is fine.'), stableWords: 2 },
  { ...heard(1, 3_000, 'So it'), state: 'PARTIAL', stableWords: 1 },
];
const READ = `query Read($id: ID!) { transcript(id: $id) {
  media { id } text segments { nodes { id text stableWords turnEnd } } export(format: TXT) { text } } }`;

let slice: MediaSlice;
/** How often somebody wanted words aligned. */
let alignments = 0;

beforeAll(async () => {
  const align = async (): Promise<null> => {
    alignments++;
    return null;
  };
  const aligner = { align, [Symbol.asyncDispose]: async () => undefined };
  slice = await openMediaSlice(scripted(aScript()), { aligner });
});
afterAll(() => slice[Symbol.asyncDispose]());

const rowsOf = (id: string): Promise<SegmentRow[]> =>
  new MediaRecords(slice.platform.database.slice(MEDIA_MODELS)).segments(id);
const read = (id: string, by = viewer): Promise<unknown> => askFor(slice.subgraph, by, READ, { id });

async function problemsOf(field: string, type: string, input: object, by = viewer): Promise<Problem[]> {
  const query = `mutation Go($input: ${type}!) { ${field}(input: $input) { errors { code message path } } }`;
  const answer = await askFor<Record<string, { errors: Problem[] }>>(slice.subgraph, by, query, { input });
  return answer[field]!.errors;
}

const edit = (input: object, by = viewer): Promise<Problem[]> =>
  problemsOf('editSegment', 'EditSegmentInput', { expectedRevision: 1, ...input }, by);

async function announce(transcriptId: string, ...events: TranscriptEvent[]): Promise<void> {
  await slice.platform.database.prisma.$transaction((tx) =>
    slice.platform.events.appendAll(tx, transcriptTopic(transcriptId), events),
  );
}

test('what is said live is its owner’s to read before there is a recording, and nobody else’s', async () => {
  const { transcriptId, segmentIds } = await aLiveTranscript(slice, viewer, SAID);
  expect(await read(transcriptId)).toEqual({
    transcript: {
      media: null,
      text: 'The feather is fine.\nSo it',
      segments: {
        nodes: [
          { id: segmentIds[0], text: 'The feather is fine.', stableWords: 4, turnEnd: null },
          { id: segmentIds[1], text: 'So it', stableWords: 1, turnEnd: null },
        ],
      },
      export: { text: 'The feather is fine.\nSo it\n' },
    },
  });
  expect(await read(transcriptId, aViewer())).toEqual({ transcript: null });
  expect(await edit({ segmentId: segmentIds[0], text: 'x' }, aViewer())).toMatchObject([{ code: 'NOT_FOUND' }]);
});

test.each(['TRANSCRIBING', 'COMPLETE'] as const)('of a %s one without a recording no job is made', async (state) => {
  const { transcriptId } = await aLiveTranscript(slice, viewer, SAID.slice(0, 1), { state });
  const why = state === 'COMPLETE' ? /has kept no recording.*export/ : /has not ended: ask again.*translation/;
  const refusal = [{ code: 'INVALID_STATE', message: expect.stringMatching(why), path: ['input', 'transcriptId'] }];
  const translation = { transcriptId, to: ['en-US'] };
  expect(await problemsOf('translateTranscript', 'TranslateTranscriptInput', translation)).toEqual(refusal);
  const file = { transcriptId, format: 'TXT' };
  expect(await problemsOf('exportTranscript', 'ExportTranscriptInput', file)).toEqual(refusal);
  expect(await slice.platform.database.prisma.job.count()).toBe(0);
});

test('a correction places new words by their length, where there is no sound to listen to', async () => {
  const { transcriptId, segmentIds } = await aLiveTranscript(slice, viewer, SAID);
  expect(await edit({ segmentId: segmentIds[0], text: 'The weather is fine.' })).toEqual([]);
  const [segment] = await rowsOf(transcriptId);
  expect(segment).toMatchObject({ state: 'EDITED', text: 'The weather is fine.', revision: 2 });
  expect(segment!.words.map(({ text, startMs }) => `${text} ${startMs}`)).toEqual([
    'The 1000',
    'weather 1200',
    'is 1400',
    'fine. 1600',
  ]);
  expect(alignments).toBe(0);
});

test('a correction does not reach behind what was heard, nor into what is still being spoken', async () => {
  const { segmentIds } = await aLiveTranscript(slice, viewer, SAID.slice(0, 1));
  const { endMs } = SAID[0]!;
  const message = `endMs: not after ${endMs}, where what was heard ends; it was ${endMs + 1}.`;
  expect(await edit({ segmentId: segmentIds[0], endMs: endMs + 1 })).toMatchObject([{ message }]);
  const { segmentIds: spoken } = await aLiveTranscript(slice, viewer, SAID);
  expect(await edit({ segmentId: spoken[1], text: 'So it was.' })).toMatchObject([{ code: 'INVALID_STATE' }]);
});

test('transcriptEvents tells segments and the end of a live transcript, not how its session does', async () => {
  const { transcriptId: id, sessionId } = await aLiveTranscript(slice, viewer, SAID.slice(0, 1));
  const { prisma } = slice.platform.database;
  const [segment] = await rowsOf(id);
  const session = liveSessionSnapshot(await prisma.liveSession.findUniqueOrThrow({ where: { id: sessionId } }));
  await announce(
    id,
    { type: 'speech.boundary', speaking: true, atMs: 900 },
    { type: 'segment.changed', segment: segment! },
  );
  const stream = follow(slice, viewer, { id });
  expect((await stream.next()).value).toMatchObject({ data: { transcriptEvents: { segment: { id: segment!.id } } } });
  await prisma.transcript.update({ where: { id }, data: { state: 'COMPLETE' } });
  const end: TranscriptEvent = { type: 'transcript.finished', state: 'COMPLETE', error: null, removedSegmentIds: [] };
  await announce(id, end, { type: 'session.changed', session: { ...session, state: 'ENDED' } });
  expect((await stream.next()).value).toMatchObject({ data: { transcriptEvents: { state: 'COMPLETE' } } });
  expect((await stream.next()).done).toBe(true);
});

test('one that has failed stays so, and its snapshot says why', async () => {
  const session = { state: 'FAILED', errorCode: 'ENGINE_UNAVAILABLE', errorMessage: 'It broke.' } as const;
  const { transcriptId: id } = await aLiveTranscript(slice, viewer, [], { state: 'FAILED', session });
  const error = { code: 'ENGINE_UNAVAILABLE', message: 'It broke.', retryable: false };
  expect(await wholeStream(slice, viewer, { id, snapshot: true })).toMatchObject([{ state: 'FAILED', error }]);
});

test('an event from before segments had stable words is told with all of its words', async () => {
  const { transcriptId: id } = await aLiveTranscript(slice, viewer, SAID.slice(0, 1));
  const [{ stableWords: _stable, turnEnd: _turn, ...segment }] = (await rowsOf(id)) as [SegmentRow];
  await announce(id, { type: 'segment.changed', segment: segment as SegmentRow });
  const query = `subscription Follow($id: ID!) { transcriptEvents(transcriptId: $id) {
    ... on SegmentChanged { segment { stableWords turnEnd } } } }`;
  expect(await firstOf(slice.subgraph, viewer, query, { id })).toEqual({
    data: { transcriptEvents: { segment: { stableWords: 4, turnEnd: null } } },
  });
});
