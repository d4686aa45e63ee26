import { newId } from '../../../platform/ids';
import { askFor, aViewer } from '../../../platform/testing/calls';
import { aScript, follow, heard, openMediaSlice, scripted, type MediaSlice, type Problem } from '../testing';
import { aTranscript, type Given } from '../testing-transcripts';

const viewer = aViewer();
const SPEAKERS = 'revision speakers { id label talkMs user { id } }';
const RENAME = `mutation Rename($input: RenameSpeakerInput!) { renameSpeaker(input: $input) {
  transcript { ${SPEAKERS} } errors { code message path } } }`;

interface Transcript {
  revision: number;
  speakers: { id: string; label: string; talkMs: number; user: { id: string } | null }[];
}
interface Renamed {
  transcript: Transcript | null;
  errors: Problem[];
}

let slice: MediaSlice;
let given: Given;

beforeAll(async () => void (slice = await openMediaSlice(scripted(aScript()))));
afterAll(() => slice[Symbol.asyncDispose]());
beforeEach(async () => {
  given = await aTranscript(slice, viewer, [
    { ...heard(0, 0, 'Who are you?'), speakerKey: 'B' },
    { ...heard(1, 1_000, 'Nobody.'), speakerKey: 'A' },
    { ...heard(2, 2_000, 'You must be somebody.'), speakerKey: 'B' },
    heard(3, 3_000, 'Silence.'),
    { ...heard(4, 4_000, 'It is me.'), speakerKey: 'C' },
  ]);
});

async function rename(input: object, by = viewer): Promise<Renamed> {
  const whole = { transcriptId: given.transcriptId, speakerId: given.speakerIds['A'], label: 'Amina', ...input };
  return (await askFor<{ renameSpeaker: Renamed }>(slice.subgraph, by, RENAME, { input: whole })).renameSpeaker;
}
const problemsOf = ({ errors }: Renamed): string[] => errors.map(({ code, path }) => `${code} ${path?.join('.')}`);

async function said(): Promise<string[]> {
  const query = `query Read($id: ID!) { transcript(id: $id) { segments { nodes { text revision speaker { label } } } } }`;
  interface Read {
    transcript: { segments: { nodes: { text: string; revision: number; speaker: { label: string } | null }[] } };
  }
  const { transcript } = await askFor<Read>(slice.subgraph, viewer, query, { id: given.transcriptId });
  return transcript.segments.nodes.map(
    ({ text, revision, speaker }) => `${speaker?.label ?? '-'}: ${text} ${revision}`,
  );
}

test('are listed in the order of their first word, with how long they talk', async () => {
  const query = `query Read($id: ID!) { transcript(id: $id) { ${SPEAKERS} } }`;
  expect(await askFor(slice.subgraph, viewer, query, { id: given.transcriptId })).toEqual({
    transcript: {
      revision: 1,
      speakers: [
        { id: given.speakerIds['B'], label: 'B', talkMs: 1_400, user: null },
        { id: given.speakerIds['A'], label: 'A', talkMs: 200, user: null },
        { id: given.speakerIds['C'], label: 'C', talkMs: 600, user: null },
      ],
    },
  });
});

test('a new name changes no segment and no revision, and appears everywhere', async () => {
  const { transcript } = await rename({ label: ' Amina ', userId: viewer.userId });
  expect(transcript).toMatchObject({ revision: 1 });
  expect(transcript!.speakers[1]).toMatchObject({ label: 'Amina', user: { id: viewer.userId } });
  expect((await said())[1]).toBe('Amina: Nobody. 1');
  const query = `query Export($id: ID!) { transcript(id: $id) { export(format: TXT, options: { speakers: true }) { text } } }`;
  expect(await askFor(slice.subgraph, viewer, query, { id: given.transcriptId })).toEqual({
    transcript: {
      export: { text: 'B: Who are you?\nAmina: Nobody.\nB: You must be somebody.\nSilence.\nC: It is me.\n' },
    },
  });
});

test('the name of another one makes the two one: its segments change hands, are of the next revision and announced', async () => {
  await slice.platform.database.prisma.transcript.updateMany({ data: { state: 'TRANSCRIBING' } });
  const stream = follow(slice, viewer, { id: given.transcriptId, snapshot: true });
  for (let index = 0; index < 5; index++) await stream.next();
  const { transcript } = await rename({ speakerId: given.speakerIds['B'], label: 'C', userId: viewer.userId });
  expect(transcript).toEqual({
    revision: 2,
    speakers: [
      { id: given.speakerIds['C'], label: 'C', talkMs: 2_000, user: { id: viewer.userId } },
      { id: given.speakerIds['A'], label: 'A', talkMs: 200, user: null },
    ],
  });
  expect(await said()).toEqual([
    'C: Who are you? 2',
    'A: Nobody. 1',
    'C: You must be somebody. 2',
    '-: Silence. 1',
    'C: It is me. 1',
  ]);
  const told = [await stream.next(), await stream.next()].map(({ value }) => value);
  expect(told).toMatchObject(
    ['Who are you?', 'You must be somebody.'].map((text) => ({
      data: { transcriptEvents: { segment: { text, revision: 2 } } },
    })),
  );
  await stream.return();
});

test('the same name again changes nothing', async () => {
  const once = await rename({ userId: viewer.userId });
  expect(await rename({})).toEqual(once);
});

test('two at once that take the same name become one', async () => {
  await Promise.all([rename({ label: 'X' }), rename({ speakerId: given.speakerIds['B'], label: 'X' })]);
  expect((await said()).map((line) => line.slice(0, 2))).toEqual(['X:', 'X:', 'X:', '-:', 'C:']);
  const query = `query Read($id: ID!) { transcript(id: $id) { ${SPEAKERS} } }`;
  const { transcript } = await askFor<{ transcript: Transcript }>(slice.subgraph, viewer, query, {
    id: given.transcriptId,
  });
  expect(transcript.speakers.map(({ label }) => label)).toEqual(['X', 'C']);
});

test.each<[string, () => object, string]>([
  ['no name', () => ({ label: ' ' }), 'INVALID_INPUT input.label'],
  ['a name of 101 characters', () => ({ label: 'x'.repeat(101) }), 'INVALID_INPUT input.label'],
  ['a name of two lines', () => ({ label: 'a\nb' }), 'INVALID_INPUT input.label'],
  ['another user', () => ({ userId: newId('usr') }), 'NOT_FOUND input.userId'],
  ['an unknown speaker', () => ({ speakerId: newId('spk') }), 'NOT_FOUND input.speakerId'],
  ['an unknown transcript', () => ({ transcriptId: 'trn_\u0000' }), 'NOT_FOUND input.transcriptId'],
])('%s is refused', async (_what, input, problem) => {
  expect(await rename(input())).toMatchObject({ transcript: null });
  expect(problemsOf(await rename(input()))).toEqual([problem]);
});

test('somebody else’s transcript answers like an unknown one', async () => {
  expect(problemsOf(await rename({}, aViewer()))).toEqual(['NOT_FOUND input.transcriptId']);
});
