import { newId } from '../../../platform/ids';
import { ask, askFor, aViewer } from '../../../platform/testing/calls';
import type { Viewer } from '../../../platform/identity/viewer';
import { MEDIA_MODELS } from '../records';
import { aScript, heard, openMediaSlice, scripted, type MediaSlice } from '../testing';
import { anotherTranscript, aTranscript, type Given } from '../testing-transcripts';
import { searchQuery, SearchRecords } from './search-records';

interface Hit {
  media: { id: string; title: string };
  segment: { id: string; text: string } | null;
  highlight: string;
  atMs: number | null;
  score: number;
}
interface Page {
  nodes: Hit[];
  pageInfo: { hasNextPage: boolean; endCursor: string };
}

const SEARCH = `query Search($query: String!, $first: Int, $after: String, $filter: MediaFilter) {
  search(query: $query, first: $first, after: $after, filter: $filter) {
    nodes { media { id title } segment { id text } highlight atMs score } pageInfo { hasNextPage endCursor } } }`;

let slice: MediaSlice;
let viewer: Viewer;

beforeAll(async () => void (slice = await openMediaSlice(scripted(aScript()))));
afterAll(() => slice[Symbol.asyncDispose]());
beforeEach(() => void (viewer = aViewer()));

async function find(query: string, more: object = {}, by = viewer): Promise<Page> {
  const variables = { query, first: 20, ...more };
  return (await askFor<{ search: Page }>(slice.subgraph, by, SEARCH, variables)).search;
}
const highlights = async (query: string, filter = {}): Promise<string[]> =>
  (await find(query, { filter })).nodes.map(({ highlight }) => highlight);

const talk = (texts: string[], about: Parameters<typeof aTranscript>[3] = {}): Promise<Given> =>
  aTranscript(
    slice,
    viewer,
    texts.map((text, index) => heard(index, index * 2_000, text)),
    about,
  );

test('finds the moment at which a word is said, in any case and other English forms of it', async () => {
  const { mediaId, segmentIds } = await talk(['Good morning to you all.', 'We were running for our lives.']);
  expect((await find('RUN')).nodes).toEqual([
    {
      media: { id: mediaId, title: 'Talk' },
      segment: { id: segmentIds[1], text: 'We were running for our lives.' },
      highlight: 'We were **running** for our lives.',
      atMs: 2_400,
      score: expect.any(Number) as number,
    },
  ]);
  expect(await highlights('mornings')).toEqual(['Good **morning** to you all.']);
});

test('other languages are found by whole words, accents included', async () => {
  await talk(['Habari za asubuhi, wanafunzi.', 'Où étions-nous ?'], { language: 'sw' });
  await slice.platform.database.prisma.segment.updateMany({ data: { language: 'sw' } });
  expect(await highlights('wanafunzi')).toEqual(['Habari za asubuhi, **wanafunzi**.']);
  expect(await highlights('mwanafunzi')).toEqual([]);
  expect(await highlights('étions')).toEqual(['Où **étions**-nous ?']);
  expect(await highlights('etions')).toEqual([]);
});

test('title, tags and description are found as well; a title counts most', async () => {
  const { mediaId } = await talk(['Nothing.'], {
    title: 'Harvest songs',
    description: 'Sung at the well.',
    tags: ['maize'],
  });
  await talk(['They bring in the harvest.'], { title: 'Talk' });
  const { nodes } = await find('harvest');
  expect(nodes.map(({ highlight }) => highlight)).toEqual([
    '**Harvest** songs · maize · Sung at the well.',
    'They bring in the **harvest**.',
  ]);
  expect(nodes[0]).toMatchObject({ media: { id: mediaId }, segment: null, atMs: null });
  expect(nodes[0]!.score).toBeGreaterThan(nodes[1]!.score);
  expect(await highlights('maize')).toEqual(['Harvest songs · **maize** · Sung at the well.']);
  expect(await highlights('"the well"')).toEqual(['Harvest songs · maize · Sung at **the** **well**.']);
});

test('quotes, minus and or mean what they say', async () => {
  await talk(['The red house by the sea.', 'The house is red.', 'A blue boat.']);
  expect(await highlights('house red')).toHaveLength(2);
  expect(await highlights('"red house"')).toEqual(['The **red** **house** by the sea.']);
  expect(await highlights('house -sea')).toEqual(['The **house** is red.']);
  expect((await highlights('sea or boat')).sort()).toEqual(['A blue **boat**.', 'The red house by the **sea**.']);
  expect(await highlights('"by the"')).toEqual(['**The** red house **by** **the** sea.']);
});

test('small words in quotes count, whatever stands around the quotes', async () => {
  await talk(['He wrote in the directory.', 'She wrote in a directory.', 'The boats are gone.']);
  expect(await highlights('"the directory"')).toEqual(['He wrote in **the** **directory**.']);
  expect(await highlights('writing "the directory"')).toEqual([]);
  expect(await highlights('directories "in a"')).toEqual([expect.stringMatching(/^She wrote/)]);
  expect(await highlights('directory -"the directory"')).toEqual(['She wrote in a **directory**.']);
  expect(await highlights('"the directory" or boat')).toHaveLength(2);
  expect(await highlights('boat OR "a directory"')).toHaveLength(2);
});

test('a score has four digits at most', async () => {
  await talk(['One giraffe.', 'A giraffe and a giraffe.']);
  const { nodes } = await find('giraffe');
  for (const { score } of nodes) expect(String(score)).toMatch(/^\d(\.\d{1,4})?$/);
});

test('the moment of a phrase is that of its first word', async () => {
  const text = 'Well the sea is far and the old sea is near.';
  await talk([text]);
  const { nodes } = await find('"old sea"');
  expect(nodes[0]!.atMs).toBe(text.split(' ').indexOf('old') * 200);
});

test('only the newest complete transcript counts, as it is after corrections, and only the viewer’s own', async () => {
  const { mediaId, transcriptId } = await talk(['The old giraffe.']);
  expect(await highlights('giraffe')).toHaveLength(1);
  expect((await find('giraffe', {}, aViewer())).nodes).toEqual([]);
  const newer = await anotherTranscript(slice, mediaId, [heard(0, 0, 'The new giraffe.')]);
  await anotherTranscript(slice, mediaId, [heard(0, 0, 'The next giraffe.')], { state: 'TRANSCRIBING' });
  expect(await highlights('giraffe')).toEqual(['The new **giraffe**.']);
  const edit = `mutation Edit($input: EditSegmentInput!) { editSegment(input: $input) { errors { code } } }`;
  const input = { segmentId: newer.segmentIds[0], expectedRevision: 1, text: 'The new zebra.' };
  await askFor(slice.subgraph, viewer, edit, { input });
  expect(await highlights('giraffe')).toEqual([]);
  expect(await highlights('zebra')).toEqual(['The new **zebra**.']);
  expect(transcriptId).not.toBe(newer.transcriptId);
});

test('filters by what the recording is, and takes no notice of the filter’s own search', async () => {
  await talk(['A camel.'], { title: 'camel one', language: 'en-US' });
  const { mediaId } = await aTranscript(slice, viewer, [], { title: 'camel two', state: 'TRANSCRIBING' });
  await slice.platform.database.prisma.media.update({ where: { id: mediaId }, data: { kind: 'VIDEO' } });
  expect(await highlights('camel', { kinds: ['VIDEO'] })).toEqual(['**camel** two']);
  expect(await highlights('camel', { kinds: [] })).toEqual([]);
  expect(await highlights('camel', { hasTranscript: false })).toEqual(['**camel** two']);
  expect(await highlights('camel', { hasTranscript: true })).toHaveLength(2);
  expect(await highlights('camel', { language: 'en', search: 'nothing' })).toHaveLength(2);
  expect(await highlights('camel', { language: 'fr' })).toEqual([]);
});

test('pages follow each other without a hole or a repetition, whatever is added meanwhile', async () => {
  const texts = Array.from({ length: 25 }, (_, index) => `Number ${index} is ${'very '.repeat(index % 3)}small.`);
  await talk(texts, { title: 'Numbers' });
  const seen: Hit[] = [];
  for (let after: string | undefined; ;) {
    const page = await find('small', { first: 7, ...(after ? { after } : {}) });
    seen.push(...page.nodes);
    if (!page.pageInfo.hasNextPage) break;
    after = page.pageInfo.endCursor;
    await talk(['Something small.']);
  }
  const numbers = seen.filter(({ media }) => media.title === 'Numbers').map(({ segment }) => segment!.text);
  expect([...numbers].sort()).toEqual([...texts].sort());
  const scores = seen.map(({ score }) => score);
  expect(scores).toEqual([...scores].sort((one, other) => other - one));
});

test('a text cannot pretend to have been found, and a long one is cut around the word', async () => {
  await talk([`**Fake** ${'long '.repeat(100)}needle ${'tail '.repeat(100)}end.`, `needle ${'x'.repeat(400)}`]);
  const found = await highlights('needle');
  expect(found).toHaveLength(2);
  for (const highlight of found) {
    expect(highlight.match(/\*\*[^*]+\*\*/g)).toEqual(['**needle**']);
    expect(highlight.length).toBeLessThanOrEqual(300);
  }
  expect(await highlights('fake')).toEqual([expect.stringMatching(/^\*{2}Fake\*{2} long/)]);
});

test.each<[string, string]>([
  ['nothing', ' '],
  ['signs only', '?! -- "'],
  ['only what must not occur', '-word'],
  ['201 characters', 'x'.repeat(201)],
  ['a NUL', 'a\u0000b'],
  ['half a character', 'a\ud800'],
])('a query of %s is refused as bad input', async (_what, query) => {
  const { errors } = await ask(slice.subgraph, viewer, SEARCH, { query, first: 20 });
  expect(errors?.map(({ extensions }) => extensions?.code)).toEqual(['BAD_USER_INPUT']);
});

test.each([':', '& | !', "a' or 1=1 --", 'a <-> b:*', '\\', 'word:ABCD', '(('])(
  '%s is looked for as text, whatever it means to the database',
  async (query) => {
    const { errors } = await ask(slice.subgraph, viewer, SEARCH, { query: `word ${query}`, first: 20 });
    expect(errors).toBeUndefined();
  },
);

test('a cursor of another list is refused', async () => {
  for (const key of ['k:1', `k:zz-${newId('seg')}`, `k:7ff8000000000000-${newId('seg')}`]) {
    const after = Buffer.from(key).toString('base64url');
    const { errors } = await ask(slice.subgraph, viewer, SEARCH, { query: 'a', first: 20, after });
    expect(errors?.map(({ extensions }) => extensions?.code)).toEqual(['BAD_USER_INPUT']);
  }
});

test('10,000 segments are not read one by one: the index is', async () => {
  const { transcriptId } = await talk(['The needle.']);
  const { prisma } = slice.platform.database;
  await prisma.$executeRaw`
    insert into media.segment (id, transcript_id, position, start_ms, end_ms, text, language, words)
    select 'seg_filler' || n, ${transcriptId}, n, n * 1000, n * 1000 + 900, 'Segment ' || n || ' says hay and straw.', 'en', '[]'
      from generate_series(1, 10000) n`;
  await prisma.$executeRaw`analyze media.segment`;
  const { sql, values } = searchQuery(viewer.userId, 'needle', {}, { take: 21, after: null });
  const numbered = values.reduce<string>((text, _value, index) => text.replace('?', `$${index + 1}`), sql);
  const plan = await prisma.$queryRawUnsafe<Record<string, string>[]>(`explain ${numbered}`, ...values);
  expect(plan.map((row) => Object.values(row)[0]).join('\n')).toContain('segment_search_idx');
  expect(await highlights('needle')).toEqual(['The **needle**.']);
  expect(await highlights('straw "segment 77"')).toEqual(['**Segment** **77** says hay and **straw**.']);
});

test('of a word that is said everywhere the newest 5,000 segments count', async () => {
  const { transcriptId } = await talk(['One hat.']);
  await slice.platform.database.prisma.$executeRaw`
    insert into media.segment (id, transcript_id, position, start_ms, end_ms, text, language, words)
    select 'seg_hat' || lpad(n::text, 5, '0'), ${transcriptId}, n, n * 1000, n * 1000 + 900, 'A hat.', 'en', '[]'
      from generate_series(1, 5100) n`;
  const records = new SearchRecords(slice.platform.database.slice(MEDIA_MODELS));
  const found = await records.find(viewer.userId, 'hat', {}, { take: 6_000, after: null });
  expect([found.length, found.some(({ id }) => id === 'seg_hat00001')]).toEqual([5_000, false]);
});
