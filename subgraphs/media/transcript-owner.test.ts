import { askFor, aViewer } from '../../platform/testing/calls';
import { MEDIA_MODELS, MediaRecords } from './records';
import { aScript, follow, heard, openMediaSlice, scripted, transcribing, type MediaSlice } from './testing';
import { TranscriptGrowth } from './transcription/transcript-growth';

const viewer = aViewer();
let slice: MediaSlice;
let mediaId: string;
let transcriptId: string;
let records: MediaRecords;
let growth: TranscriptGrowth;

beforeEach(async () => {
  slice = await openMediaSlice(scripted(aScript()));
  ({ mediaId, transcriptId } = await transcribing(slice, viewer));
  records = new MediaRecords(slice.platform.database.slice(MEDIA_MODELS));
  growth = new TranscriptGrowth(slice.platform.events, transcriptId);
  await put(0);
});
afterEach(() => slice[Symbol.asyncDispose]());

const put = (index: number): Promise<void> =>
  records.transaction((tx) => growth.put(tx, [heard(index, index * 1_000, 'One.')]));
const changeOwner = (ownerId: string): Promise<unknown> =>
  slice.platform.database.prisma.transcript.update({ where: { id: transcriptId }, data: { ownerId } });

const NOT_FOUND = {
  value: {
    data: null,
    errors: [
      {
        message: 'You have no transcript with this ID.',
        path: ['transcriptEvents'],
        extensions: { code: 'NOT_FOUND' },
      },
    ],
  },
  done: false,
};
const END = { value: undefined, done: true };

test('what happens after the transcript went to somebody else is not told to its former owner', async () => {
  const stream = follow(slice, viewer, { id: transcriptId });
  expect(await stream.next()).toMatchObject({ value: { data: { transcriptEvents: { segment: { text: 'One.' } } } } });
  await changeOwner(aViewer().userId);
  await put(1);
  expect(await stream.next()).toMatchObject(NOT_FOUND);
  expect(await stream.next()).toEqual(END);
});

test('the former owner’s stream ends though nothing happens', async () => {
  const stream = follow(slice, viewer, { id: transcriptId });
  await stream.next();
  const next = stream.next();
  await changeOwner(aViewer().userId);
  expect(await next).toMatchObject(NOT_FOUND);
  expect(await stream.next()).toEqual(END);
});

test('a stream of a recording that is deleted ends in the same way', async () => {
  const stream = follow(slice, viewer, { id: transcriptId });
  await stream.next();
  const next = stream.next();
  await slice.platform.database.prisma.media.delete({ where: { id: mediaId } });
  expect(await next).toMatchObject(NOT_FOUND);
  expect(await stream.next()).toEqual(END);
});

test('a snapshot is for the owner of that moment', async () => {
  await changeOwner(aViewer().userId);
  const stream = follow(slice, viewer, { id: transcriptId, snapshot: true });
  expect(await stream.next()).toMatchObject(NOT_FOUND);
  expect(await stream.next()).toEqual(END);
});

test('what a job has made is shown only to whom it belongs', async () => {
  const { jobId } = await slice.platform.database.prisma.transcript.findUniqueOrThrow({ where: { id: transcriptId } });
  const query =
    'query Read($of: [_Any!]!) { _entities(representations: $of) { ... on MediaJob { id result { __typename } } } }';
  const read = () => askFor(slice.subgraph, viewer, query, { of: [{ __typename: 'MediaJob', id: jobId }] });
  expect(await read()).toEqual({ _entities: [{ id: jobId, result: { __typename: 'Transcript' } }] });
  await changeOwner(aViewer().userId);
  expect(await read()).toEqual({ _entities: [{ id: jobId, result: null }] });
});
