import { newId } from '../../../platform/ids';
import { aViewer, anUpload, askFor } from '../../../platform/testing/calls';
import {
  aCompleteTranscript,
  aScript,
  aWav,
  openMediaSlice,
  scripted,
  writtenTranslator,
  type MediaSlice,
} from '../testing';

const amina = aViewer();
const juma = aViewer();
let slice: MediaSlice;
let ids: { mediaId: string; transcriptId: string };
let foreign: typeof ids;

beforeAll(async () => {
  slice = await openMediaSlice(scripted(aScript()), { translator: writtenTranslator('es', 'ca') });
  ids = await aCompleteTranscript(slice, amina, ['One two three.']);
  foreign = await aCompleteTranscript(slice, juma, ['One two three.']);
});
afterAll(() => slice[Symbol.asyncDispose]());

interface Call {
  mutation: string;
  asks: string;
  input: (own: typeof ids) => object;
  other: object;
  /** How many jobs one call makes. */
  jobs: number;
}
const JOB = 'job { id } errors { code }';
const CALLS: Call[] = [
  {
    mutation: 'createMedia',
    asks: `media { id } ${JOB}`,
    input: () => ({ upload: anUpload(aWav(0.1), 'talk.wav'), transcribe: {} }),
    other: { title: 'Another' },
    jobs: 1,
  },
  {
    mutation: 'transcribe',
    asks: JOB,
    input: ({ mediaId }) => ({ mediaId, translateTo: ['es'], exports: [{ format: 'SRT' }] }),
    other: { translateTo: ['ca'] },
    jobs: 3,
  },
  {
    mutation: 'translateTranscript',
    asks: 'jobs { id } errors { code }',
    input: ({ transcriptId }) => ({ transcriptId, to: ['es', 'ca'] }),
    other: { to: ['ca', 'es'] },
    jobs: 2,
  },
  {
    mutation: 'exportTranscript',
    asks: JOB,
    input: ({ transcriptId }) => ({ transcriptId, format: 'VTT' }),
    other: { options: { words: true } },
    jobs: 1,
  },
  {
    mutation: 'reprocess',
    asks: 'jobs { id } errors { code }',
    input: ({ mediaId }) => ({ mediaId }),
    other: { steps: ['TRANSCRIBE'] },
    jobs: 0,
  },
];

describe.each(CALLS)('$mutation', ({ mutation, asks, input, other, jobs }) => {
  const type = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input`;
  const query = `mutation Go($input: ${type}!) { answer: ${mutation}(input: $input) { ${asks} } }`;
  const call = async (values: object, by = amina) =>
    (await askFor<{ answer: { errors: { code: string }[] } }>(slice.subgraph, by, query, { input: values })).answer;
  const countJobs = () => slice.platform.database.prisma.job.count();

  test('50 calls at once with one key have one effect and equal answers', async () => {
    const before = await countJobs();
    const idempotencyKey = newId('job');
    const calls = Array.from({ length: 50 }, () => call({ ...input(ids), idempotencyKey }));
    const answers = await Promise.all(calls);
    expect(answers[0]!.errors).toEqual([]);
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect((await countJobs()) - before).toBe(jobs);
  });

  test('the same key with another input is refused, and is independent for another account', async () => {
    const idempotencyKey = newId('job');
    const first = await call({ ...input(ids), idempotencyKey });
    const before = await countJobs();
    const refused = await call({ ...input(ids), ...other, idempotencyKey });
    expect(refused.errors.map(({ code }) => code)).toEqual(['IDEMPOTENCY_MISMATCH']);
    expect(await countJobs()).toBe(before);
    const theirs = await call({ ...input(foreign), idempotencyKey }, juma);
    expect(theirs.errors).toEqual([]);
    expect((await countJobs()) - before).toBe(jobs);
    if (jobs > 0) expect(theirs).not.toEqual(first);
  });
});
