import { newId } from '../../../platform/ids';
import { anUpload, ask, askFor, aViewer } from '../../../platform/testing/calls';
import { describeWhenInstalled, programMissing } from '../../../platform/testing/installed';
import { MEDIA_MODELS, MediaRecords } from '../records';
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
import { anotherTranscript, aTranscript, type Given } from '../testing-transcripts';
import type { Aligner } from '../transcriber/transcriber';
import { TranscriptGrowth } from '../transcription/transcript-growth';
import { decodeRange } from './decode-range';

const viewer = aViewer();
const EDIT = `mutation Edit($input: EditSegmentInput!) { editSegment(input: $input) {
  segment { id revision state text startMs endMs confidence words { text startMs endMs confidence } speaker { label } }
  errors { code message path } } }`;

interface Edited {
  segment: {
    id: string;
    revision: number;
    state: string;
    text: string;
    startMs: number;
    endMs: number;
    confidence: number | null;
    words: { text: string; startMs: number; endMs: number; confidence: number | null }[];
    speaker: { label: string } | null;
  } | null;
  errors: Problem[];
}

/** What the scripted aligner was asked, and what it does. */
interface Listening {
  asked: { samples: number; words: readonly string[]; language: string }[];
  answer: (words: readonly string[], signal: AbortSignal) => ReturnType<Aligner['align']>;
}

let listening: Listening;
let slice: MediaSlice;
let given: Given;
const aligner: Aligner = {
  align: async (pcm, words, { language, signal }) => {
    listening.asked.push({ samples: pcm.length, words, language });
    return listening.answer(words, signal);
  },
  [Symbol.asyncDispose]: async () => undefined,
};

beforeAll(async () => {
  slice = await openMediaSlice(scripted(aScript()), { aligner });
});
afterAll(() => slice[Symbol.asyncDispose]());

beforeEach(async () => {
  listening = { asked: [], answer: async () => null };
  given = await aTranscript(slice, viewer, [
    heard(0, 1_000, 'The whether is fine.'),
    heard(1, 3_000, 'So it is.', 0.4),
    { ...heard(2, 3_500, 'Yes.'), speakerKey: 'Speaker 1' },
  ]);
});

async function edit(input: object, by = viewer): Promise<Edited> {
  const whole = { segmentId: given.segmentIds[0], expectedRevision: 1, ...input };
  return (await askFor<{ editSegment: Edited }>(slice.subgraph, by, EDIT, { input: whole })).editSegment;
}
const problemsOf = ({ errors }: Edited): string[] => errors.map(({ code, path }) => `${code} ${path?.join('.')}`);
const wordsOf = ({ segment }: Edited) => segment!.words.map(({ text, startMs, endMs }) => [text, startMs, endMs]);

describeWhenInstalled(programMissing('ffmpeg', 'ffmpeg'), 'a correction', () => {
  test('aligns the new words to their part of the audio; the others keep time and confidence', async () => {
    listening.answer = async () => [{ startMs: 40, endMs: 150 }];
    const edited = await edit({ text: '  The weather\n is fine. ' });
    expect(edited).toMatchObject({
      errors: [],
      segment: { revision: 2, state: 'EDITED', text: 'The weather is fine.', confidence: null },
    });
    expect(edited.segment!.words).toEqual([
      { text: 'The', startMs: 1_000, endMs: 1_200, confidence: 0.9 },
      { text: 'weather', startMs: 1_240, endMs: 1_350, confidence: null },
      { text: 'is', startMs: 1_400, endMs: 1_600, confidence: 0.9 },
      { text: 'fine.', startMs: 1_600, endMs: 1_800, confidence: 0.9 },
    ]);
    expect(listening.asked).toEqual([{ samples: 3_200, words: ['weather'], language: 'en-US' }]);
  });

  test.each<[string, Listening['answer']]>([
    ['cannot find them', async () => null],
    ['breaks', () => Promise.reject(new Error('out of memory'))],
    ['answers nonsense', async () => [{ startMs: 150, endMs: 40 }]],
    ['answers too few', async () => []],
    ['places them outside', async () => [{ startMs: 900, endMs: 990 }]],
  ])('divides the time by length when the engine %s', async (_what, answer) => {
    listening.answer = answer;
    expect(wordsOf(await edit({ text: 'The fair weather is fine.' }))).toEqual([
      ['The', 1_000, 1_200],
      ['fair', 1_200, 1_273],
      ['weather', 1_273, 1_400],
      ['is', 1_400, 1_600],
      ['fine.', 1_600, 1_800],
    ]);
    expect(listening.asked).toHaveLength(1);
  });
});

test('is told to those who follow the transcript, also behind its end, and raises both revisions', async () => {
  const { transcriptId, segmentIds } = given;
  const stream = follow(slice, viewer, { id: transcriptId, snapshot: true });
  await slice.platform.database.prisma.transcript.updateMany({ data: { state: 'TRANSCRIBING' } });
  for (let index = 0; index < 3; index++) await stream.next();
  await edit({ text: 'The weather is fine.' });
  const { value } = await stream.next();
  expect(value).toMatchObject({
    data: {
      transcriptEvents: {
        isSnapshot: false,
        segment: { id: segmentIds[0], revision: 2, text: 'The weather is fine.' },
      },
    },
  });
  await stream.return();

  await slice.platform.database.prisma.transcript.updateMany({ data: { state: 'COMPLETE' } });
  await edit({ segmentId: segmentIds[1], text: 'So it was.' });
  const told = await wholeStream(slice, viewer, { id: transcriptId });
  expect(told.map(({ segment }) => segment?.text)).toEqual(['The weather is fine.', 'So it was.']);
  const query = 'query Read($id: ID!) { transcript(id: $id) { revision text } }';
  expect(await askFor(slice.subgraph, viewer, query, { id: transcriptId })).toEqual({
    transcript: { revision: 3, text: 'The weather is fine.\nSo it was.\nYes.' },
  });
});

test('of an older revision is refused with the segment as it is now', async () => {
  await edit({ text: 'First.' });
  const late = await edit({ text: 'Second.' });
  expect(problemsOf(late)).toEqual(['CONFLICT input.expectedRevision']);
  expect(late.segment).toMatchObject({ revision: 2, text: 'First.' });
});

test('of two at once only one is kept', async () => {
  let both = 0;
  let release = (): void => undefined;
  const met = new Promise<void>((resolve) => (release = resolve));
  listening.answer = async () => {
    if (++both === 2) release();
    await met;
    return null;
  };
  const edits = await Promise.all([edit({ text: 'The one is fine.' }), edit({ text: 'The other is fine.' })]);
  expect(edits.map(problemsOf).sort()).toEqual([[], ['CONFLICT input.expectedRevision']]);
  const kept = edits.find(({ errors }) => errors.length === 0)!.segment!.text;
  expect(edits.map(({ segment }) => segment!.text)).toEqual([kept, kept]);
});

test('whose caller leaves while words are aligned changes nothing', async () => {
  const left = new AbortController();
  listening.answer = () => {
    left.abort();
    return new Promise(() => undefined);
  };
  const input = { segmentId: given.segmentIds[0], expectedRevision: 1, text: 'The weather is fine.' };
  await ask(slice.subgraph, viewer, EDIT, { input }, left.signal).catch(() => undefined);
  const rows = await slice.platform.database.prisma.segment.findMany({
    where: { transcriptId: given.transcriptId, state: 'EDITED' },
  });
  expect(rows).toEqual([]);
});

test('of times keeps the words that lie inside, and places the others', async () => {
  const edited = await edit({ startMs: 1_300, endMs: 2_500 });
  expect(wordsOf(edited)).toEqual([
    ['The', 1_300, 1_375],
    ['whether', 1_375, 1_550],
    ['is', 1_550, 1_600],
    ['fine.', 1_600, 1_800],
  ]);
  expect(edited.segment).toMatchObject({ startMs: 1_300, endMs: 2_500, text: 'The whether is fine.' });
});

test('of the speaker alone changes no word', async () => {
  const edited = await edit({ speakerId: given.speakerIds['Speaker 1'] });
  expect(edited.segment).toMatchObject({ speaker: { label: 'Speaker 1' }, state: 'EDITED', revision: 2 });
  expect(edited.segment!.words[0]).toEqual({ text: 'The', startMs: 1_000, endMs: 1_200, confidence: 0.9 });
});

test.each<[string, object, string]>([
  ['nothing', {}, 'INVALID_INPUT input'],
  ['only null', { text: null, startMs: null }, 'INVALID_INPUT input'],
  ['no text', { text: ' \n ' }, 'INVALID_INPUT input.text'],
  ['5001 characters', { text: 'x'.repeat(5_001) }, 'INVALID_INPUT input.text'],
  ['a control character', { text: 'a\u0000b' }, 'INVALID_INPUT input.text'],
  ['an end before the start', { endMs: 900 }, 'INVALID_INPUT input.endMs'],
  ['a start behind the end', { startMs: 1_800 }, 'INVALID_INPUT input.startMs'],
  ['a start before the recording', { startMs: -1 }, 'INVALID_INPUT input.startMs'],
  ['an end over the next segment', { endMs: 3_001 }, 'INVALID_INPUT input.endMs'],
  ['a speaker of nobody', { speakerId: 'x' }, 'NOT_FOUND input.speakerId'],
  ['an unknown segment', { segmentId: newId('seg'), text: 'x' }, 'NOT_FOUND input.segmentId'],
  ['what is no id', { segmentId: 'seg_\u0000', text: 'x' }, 'NOT_FOUND input.segmentId'],
])('of %s is refused', async (_what, input, problem) => {
  expect(problemsOf(await edit(input))).toEqual([problem]);
});

test('may not reach over the recording, nor further over a neighbour than before', async () => {
  await slice.platform.database.prisma.media.updateMany({ data: { durationMs: 10_000 } });
  const last = { segmentId: given.segmentIds[2] };
  expect(problemsOf(await edit({ ...last, endMs: 10_001 }))).toEqual(['INVALID_INPUT input.endMs']);
  // The third begins 100 ms before the second one ends.
  expect(problemsOf(await edit({ ...last, startMs: 3_499 }))).toEqual(['INVALID_INPUT input.startMs']);
  expect(problemsOf(await edit({ ...last, startMs: 3_500, endMs: 10_000 }))).toEqual([]);
});

test('on another channel may lie over it', async () => {
  const { segmentIds } = await anotherTranscript(slice, given.mediaId, [
    { ...heard(0, 1_000, 'One.'), channel: 0 },
    { ...heard(1, 1_100, 'Two.'), channel: 1 },
  ]);
  expect(problemsOf(await edit({ segmentId: segmentIds[1], startMs: 0, endMs: 5_000 }))).toEqual([]);
});

test('with a speaker of another transcript is refused', async () => {
  const other = await anotherTranscript(slice, given.mediaId, [{ ...heard(0, 0, 'One.'), speakerKey: 'S' }]);
  expect(problemsOf(await edit({ speakerId: other.speakerIds['S'] }))).toEqual(['NOT_FOUND input.speakerId']);
});

test('of what is still being spoken is refused, and so is one by anybody else', async () => {
  expect(problemsOf(await edit({ text: 'x' }, aViewer()))).toEqual(['NOT_FOUND input.segmentId']);
  await slice.platform.database.prisma.segment.updateMany({ data: { state: 'PARTIAL' } });
  expect(problemsOf(await edit({ text: 'x' }))).toEqual(['INVALID_STATE input.segmentId']);
});

test('stays when a later attempt of the job hears something else there', async () => {
  await edit({ text: 'The weather is fine.' });
  const records = new MediaRecords(slice.platform.database.slice(MEDIA_MODELS));
  const growth = new TranscriptGrowth(slice.platform.events, given.transcriptId);
  const again = [heard(0, 1_000, 'The feather is fine.'), heard(1, 3_000, 'So it was.')];
  await records.transaction((tx) => growth.put(tx, again));
  const segments = await records.segments(given.transcriptId);
  expect(segments.map(({ text, revision }) => `${text} ${revision}`)).toEqual([
    'The weather is fine. 2',
    'So it was. 2',
    'Yes. 1',
  ]);
});

test('is not among the segments that need a look', async () => {
  const query =
    'query Read($id: ID!, $below: Float) { transcript(id: $id) { segments(below: $below) { nodes { text } } } }';
  interface Read {
    transcript: { segments: { nodes: { text: string }[] } };
  }
  const unsure = async (below: number): Promise<string[]> => {
    const variables = { id: given.transcriptId, below };
    const { transcript } = await askFor<Read>(slice.subgraph, viewer, query, variables);
    return transcript.segments.nodes.map(({ text }) => text);
  };
  expect(await unsure(0.9)).toEqual(['So it is.']);
  expect(await unsure(0.91)).toEqual(['The whether is fine.', 'So it is.', 'Yes.']);
  await edit({ segmentId: given.segmentIds[1], text: 'So it is.' });
  expect(await unsure(1)).toEqual(['The whether is fine.', 'Yes.']);
  const { errors } = await ask(slice.subgraph, viewer, query, { id: given.transcriptId, below: 1.1 });
  expect(errors?.map(({ extensions }) => extensions?.code)).toEqual(['BAD_USER_INPUT']);
});

describeWhenInstalled(programMissing('ffmpeg', 'ffmpeg'), 'a part of a recording', () => {
  test('is decoded sample by sample, each channel for itself', async () => {
    const { filePath } = await aStereoFile(slice);
    const signal = new AbortController().signal;
    const range = { startMs: 500, endMs: 750 };
    const left = await decodeRange(filePath, range, { channel: 0, signal });
    const right = await decodeRange(filePath, range, { channel: 1, signal });
    expect([left.length, right.length]).toEqual([4_000, 4_000]);
    // Left counts samples, right is silent.
    expect([left[0], left[3_999], right[2_000]]).toEqual([8_000, 11_999, 0]);
    const behind = await decodeRange(filePath, { startMs: 900, endMs: 1_500 }, { channel: null, signal });
    expect(behind.length).toBe(1_600);
    const stopped = new AbortController();
    stopped.abort();
    await expect(decodeRange(filePath, range, { channel: 0, signal: stopped.signal })).rejects.toThrow();
  });
});

/** One second of 16 kHz stereo: the left samples are 0, 1, 2 …, the right ones 0. */
async function aStereoFile({ platform }: MediaSlice): Promise<{ filePath: string }> {
  const header = Buffer.alloc(44);
  const bytes = Buffer.alloc(64_000);
  for (let sample = 0; sample < 16_000; sample++) bytes.writeInt16LE(sample, sample * 4);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + bytes.length, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(2, 22);
  header.writeUInt32LE(16_000, 24);
  header.writeUInt32LE(64_000, 28);
  header.writeUInt16LE(4, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36);
  header.writeUInt32LE(bytes.length, 40);
  const file = await anUpload(Buffer.concat([header, bytes])).promise;
  const incoming = { ownerId: viewer.userId, name: 'a.wav', maxBytes: 1e6, argumentPath: [] };
  const source = file.createReadStream();
  const { id } = await platform.objects.put({ ...incoming, source }, async (_tx, object) => object);
  return { filePath: await platform.objects.localPath(id) };
}
