import { aViewer } from '../../platform/testing/calls';
import { MEDIA_MODELS, MediaRecords } from './records';
import {
  aScript,
  follow,
  heard,
  openMediaSlice,
  scripted,
  transcribing,
  wholeStream,
  type MediaSlice,
  type StreamEvent,
} from './testing';
import { TranscriptGrowth } from './transcription/transcript-growth';

const viewer = aViewer();
const SEGMENTS = [heard(0, 500, 'One two three.'), heard(1, 3_000, 'Four five.'), heard(2, 6_000, 'Six.')];
let slice: MediaSlice;
let id: string;
let growth: TranscriptGrowth;
let records: MediaRecords;

beforeEach(async () => {
  slice = await openMediaSlice(scripted(aScript()));
  ({ transcriptId: id } = await transcribing(slice, viewer));
  records = new MediaRecords(slice.platform.database.slice(MEDIA_MODELS));
  growth = new TranscriptGrowth(slice.platform.events, id);
});
afterEach(() => slice[Symbol.asyncDispose]());

const put = (segment: (typeof SEGMENTS)[number]): Promise<void> =>
  records.transaction((tx) => growth.put(tx, [segment]));
const complete = (segmentCount: number): Promise<void> =>
  records.transaction((tx) => growth.complete(tx, { segmentCount, confidence: 0.9, durationMs: 10_000 }));
const told = (events: StreamEvent[]): string[] =>
  events.map(
    ({ segment, state, __typename, isSnapshot }) =>
      `${isSnapshot ? 'now' : 'then'} ${segment ? `${segment.text} ${segment.revision}` : (state ?? __typename)}`,
  );

async function take(variables: { after?: string; snapshot?: boolean }, count: number): Promise<StreamEvent[]> {
  const stream = follow(slice, viewer, { id, ...variables });
  const events: StreamEvent[] = [];
  while (events.length < count) {
    const { value } = await stream.next();
    events.push((value as { data: { transcriptEvents: StreamEvent } }).data.transcriptEvents);
  }
  await stream.return();
  return events;
}

test('a snapshot has each segment once, as it is now, and goes on with exactly what happens after it', async () => {
  for (const segment of SEGMENTS.slice(0, 2)) await put(segment);
  await put(heard(0, 500, 'One two tree.'));
  const stream = wholeStream(slice, viewer, { id, snapshot: true });
  const present = await take({ snapshot: true }, 2);
  expect(told(present)).toEqual(['now One two tree. 2', 'now Four five. 1']);
  await put(SEGMENTS[2]!);
  await complete(3);
  expect(told(await stream)).toEqual(['now One two tree. 2', 'now Four five. 1', 'then Six. 1', 'then COMPLETE']);
  expect(told(await wholeStream(slice, viewer, { id, snapshot: true, after: present[1]!.cursor }))).toEqual([
    'then Six. 1',
    'then COMPLETE',
  ]);
});

test('a snapshot that is cut in the middle is told anew, whatever is asked for the second time', async () => {
  for (const segment of SEGMENTS) await put(segment);
  const [first, second, third] = await take({ snapshot: true }, 3);
  expect(new Set([first!.cursor, second!.cursor, third!.cursor]).size).toBe(3);
  await put(heard(1, 3_000, 'For five.'));
  for (const after of [first!.cursor, second!.cursor]) {
    for (const snapshot of [true, false]) {
      expect(told(await take({ after, snapshot }, 3))).toEqual([
        'now One two three. 1',
        'now For five. 2',
        'now Six. 1',
      ]);
    }
  }
  expect(told(await take({ after: third!.cursor }, 1))).toEqual(['then For five. 2']);
});

test('the snapshot of a finished transcript says how it ended, and completes', async () => {
  for (const segment of SEGMENTS) await put(segment);
  await complete(2);
  const events = await wholeStream(slice, viewer, { id, snapshot: true });
  expect(told(events)).toEqual(['now One two three. 1', 'now Four five. 1', 'now COMPLETE']);
  expect(events[2]).toMatchObject({ error: null, removedSegmentIds: [], transcript: { state: 'COMPLETE' } });
  expect(await wholeStream(slice, viewer, { id, after: events[2]!.cursor })).toEqual([]);
});

test('the snapshot of a failed transcript says why', async () => {
  await slice.platform.database.prisma.job.updateMany({
    data: { state: 'FAILED', errorCode: 'NO_SPEECH', errorMessage: 'Nobody speaks.', errorRetryable: false },
  });
  const failure = { code: 'NO_SPEECH', message: 'Nobody speaks.', retryable: false };
  await records.transaction((tx) => growth.abandon(tx, { outcome: 'FAILED', failure }));
  expect(await wholeStream(slice, viewer, { id, snapshot: true })).toMatchObject([
    { isSnapshot: true, state: 'FAILED', error: failure },
  ]);
});

test('who asked for the snapshot gets it behind a gap as well', async () => {
  for (const segment of SEGMENTS) await put(segment);
  const [first] = await take({}, 1);
  await slice.platform.database.prisma
    .$executeRaw`update platform.event set at = now() - interval '8 days' where seq <= 2`;
  await slice.platform.events.prune(7 * 24 * 3_600_000);
  const events = await take({ after: first!.cursor, snapshot: true }, 4);
  expect(told(events)).toEqual(['then StreamGap', 'now One two three. 1', 'now Four five. 1', 'now Six. 1']);
  expect(events[0]).toMatchObject({ missed: 2 });
  expect(told(await take({ after: events[0]!.cursor }, 1))).toEqual(['now One two three. 1']);
});
