import { encodeCursor } from '../../platform/events/topic';
import { newId } from '../../platform/ids';
import { ask, aViewer, askFor } from '../../platform/testing/calls';
import { waitFor } from '../../platform/testing/wait';
import { transcriptTopic } from './events';
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
let transcriptId: string;
let growth: TranscriptGrowth;
let records: MediaRecords;

beforeEach(async () => {
  slice = await openMediaSlice(scripted(aScript()));
  ({ transcriptId } = await transcribing(slice, viewer));
  records = new MediaRecords(slice.platform.database.slice(MEDIA_MODELS));
  growth = new TranscriptGrowth(slice.platform.events, transcriptId);
});
afterEach(() => slice[Symbol.asyncDispose]());

const put = (index: number): Promise<void> => records.transaction((tx) => growth.put(tx, [SEGMENTS[index]!]));
const complete = (segmentCount: number): Promise<void> =>
  records.transaction((tx) => growth.complete(tx, { segmentCount, confidence: 0.9, durationMs: 10_000 }));
const eventOf = (result: IteratorResult<{ data?: Record<string, unknown> | null }, void>): StreamEvent =>
  (result.value as { data: { transcriptEvents: StreamEvent } }).data.transcriptEvents;
const words = (events: StreamEvent[]): (string | undefined)[] =>
  events.map((event) => event.segment?.text ?? event.state ?? event.__typename);

test('brings segments as they appear, and completes behind the end', async () => {
  const stream = follow(slice, viewer, { id: transcriptId });
  const first = stream.next();
  await put(0);
  expect(eventOf(await first)).toMatchObject({
    __typename: 'SegmentChanged',
    segment: { revision: 1, startMs: 500, endMs: 1_100, text: 'One two three.' },
  });
  const second = stream.next();
  await complete(1);
  expect(eventOf(await second)).toMatchObject({
    __typename: 'TranscriptFinished',
    state: 'COMPLETE',
    transcript: { state: 'COMPLETE' },
  });
  expect(await stream.next()).toEqual({ done: true, value: undefined });
});

test('who comes late gets everything from the beginning; who comes back, what is behind the cursor', async () => {
  for (const index of [0, 1, 2]) await put(index);
  await complete(3);
  const all = await wholeStream(slice, viewer, { id: transcriptId });
  expect(words(all)).toEqual(['One two three.', 'Four five.', 'Six.', 'COMPLETE']);
  for (const [index, { cursor }] of all.entries()) {
    expect(await wholeStream(slice, viewer, { id: transcriptId, after: cursor })).toEqual(all.slice(index + 1));
  }
});

test('a replay shows each segment as it was then, whatever it is now', async () => {
  await put(0);
  await records.transaction((tx) => growth.put(tx, [heard(0, 500, 'One two tree.')]));
  await complete(1);
  const events = await wholeStream(slice, viewer, { id: transcriptId });
  expect(events.map(({ segment }) => segment && `${segment.text} ${segment.revision}`)).toEqual([
    'One two three. 1',
    'One two tree. 2',
    undefined,
  ]);
});

test('a subscriber that leaves in the quiet frees what it held', async () => {
  const stream = follow(slice, viewer, { id: transcriptId });
  const waiting = stream.next();
  expect(await stream.return()).toMatchObject({ done: true });
  expect(await waiting).toMatchObject({ done: true });
});

test('events that are no longer kept are told as a gap, and a finished stream still completes', async () => {
  for (const index of [0, 1]) await put(index);
  await complete(2);
  const [first] = await wholeStream(slice, viewer, { id: transcriptId });
  await slice.platform.database.prisma
    .$executeRaw`update platform.event set at = now() - interval '8 days' where seq <= 2`;
  await slice.platform.events.prune(7 * 24 * 3_600_000);
  const rest = await wholeStream(slice, viewer, { id: transcriptId, after: first!.cursor });
  expect(rest).toMatchObject([{ __typename: 'StreamGap', reason: 'CURSOR_EXPIRED', missed: 1 }, { state: 'COMPLETE' }]);

  await slice.platform.database.prisma.$executeRaw`update platform.event set at = now() - interval '8 days'`;
  await slice.platform.events.prune(7 * 24 * 3_600_000);
  const gap = await wholeStream(slice, viewer, { id: transcriptId, after: first!.cursor });
  expect(words(gap)).toEqual(['StreamGap']);
  expect(await wholeStream(slice, viewer, { id: transcriptId, after: gap[0]!.cursor })).toEqual([]);
  const query = 'query Read($id: ID!) { transcript(id: $id) { text } }';
  expect(await askFor(slice.subgraph, viewer, query, { id: transcriptId })).toEqual({
    transcript: { text: 'One two three.\nFour five.' },
  });
});

test('a cursor from the future, as after a restored backup, is told as a gap of unknown size', async () => {
  await put(0);
  const future = encodeCursor(transcriptTopic(transcriptId), 99);
  const stream = follow(slice, viewer, { id: transcriptId, after: future });
  const gap = eventOf(await stream.next());
  expect(gap).toMatchObject({ __typename: 'StreamGap', reason: 'CURSOR_EXPIRED', missed: null });
  await put(1);
  expect(eventOf(await stream.next())).toMatchObject({ segment: { text: 'Four five.' } });
  await stream.return();
  await complete(2);
  expect(words(await wholeStream(slice, viewer, { id: transcriptId, after: gap.cursor }))).toEqual([
    'Four five.',
    'COMPLETE',
  ]);
  expect(words(await wholeStream(slice, viewer, { id: transcriptId, after: future }))).toEqual(['StreamGap']);
});

test.each([
  ['somebody else’s transcript', aViewer(), () => ({ id: transcriptId }), 'NOT_FOUND'],
  ['an unknown one', viewer, () => ({ id: newId('trn') }), 'NOT_FOUND'],
  ['what is no id', viewer, () => ({ id: 'nonsense' }), 'NOT_FOUND'],
  ['an id with a NUL', viewer, () => ({ id: 'trn_\u0000' }), 'NOT_FOUND'],
  ['an anonymous caller', null, () => ({ id: transcriptId }), 'UNAUTHENTICATED'],
  ['what is no cursor', viewer, () => ({ id: transcriptId, after: 'nonsense' }), 'BAD_USER_INPUT'],
  ['a cursor with a NUL', viewer, () => ({ id: transcriptId, after: '\u0000' }), 'BAD_USER_INPUT'],
  [
    'a cursor of another transcript',
    viewer,
    () => ({ id: transcriptId, after: encodeCursor(transcriptTopic(newId('trn')), 0) }),
    'BAD_USER_INPUT',
  ],
])('%s gets one error, and the stream ends', async (_what, by, variables, code) => {
  const stream = follow(slice, by, variables());
  const { value } = await stream.next();
  expect(value!.errors?.map((error) => error.extensions?.code)).toEqual([code]);
  expect(await stream.next()).toEqual({ done: true, value: undefined });
});

test('segments can be read by page and by time', async () => {
  for (const index of [0, 1, 2]) await put(index);
  const read = async (page: string): Promise<unknown> => {
    interface Read {
      transcript: { segments: { nodes: { text: string }[]; pageInfo: { endCursor: string; hasNextPage: boolean } } };
    }
    const query = `{ transcript(id: "${transcriptId}") { segments${page} { nodes { text } pageInfo { endCursor hasNextPage } } } }`;
    const { segments } = (await askFor<Read>(slice.subgraph, viewer, query)).transcript;
    return { texts: segments.nodes.map(({ text }) => text), ...segments.pageInfo };
  };
  const first = (await read('(first: 2)')) as { endCursor: string };
  expect(first).toMatchObject({ texts: ['One two three.', 'Four five.'], hasNextPage: true });
  expect(await read(`(first: 2, after: "${first.endCursor}")`)).toMatchObject({ texts: ['Six.'], hasNextPage: false });
  expect(await read('(fromMs: 1100, toMs: 6000)')).toMatchObject({ texts: ['Four five.'] });
  expect(await read('(fromMs: 1099, toMs: 6001)')).toMatchObject({ texts: ['One two three.', 'Four five.', 'Six.'] });
});

test('a cursor of another list is refused', async () => {
  const cursor = Buffer.from('k:med_1').toString('base64url');
  const query = `{ transcript(id: "${transcriptId}") { segments(after: "${cursor}") { nodes { id } } } }`;
  const { errors } = await ask(slice.subgraph, viewer, query);
  expect(errors?.map((error) => error.extensions?.code)).toEqual(['BAD_USER_INPUT']);
});

test('a subscription that waits outlives a LISTEN connection that is cut', async () => {
  const stream = follow(slice, viewer, { id: transcriptId });
  const first = stream.next();
  await slice.platform.database.prisma.$executeRaw`
    select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'sauti:listen'`;
  await put(0);
  await waitFor('the segment', async () => eventOf(await first).segment);
  await stream.return();
});
