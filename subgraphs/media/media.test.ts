import { Readable } from 'node:stream';
import { newId } from '../../platform/ids';
import { aViewer, anUpload, ask, askFor } from '../../platform/testing/calls';
import {
  aScript,
  aWav,
  createMedia,
  openMediaSlice,
  scripted,
  type MediaSlice,
  type Problem,
  type Script,
} from './testing';

const amina = aViewer();
const juma = aViewer();
let script: Script;
let slice: MediaSlice;

beforeEach(async () => {
  script = aScript();
  slice = await openMediaSlice(scripted(script));
});
afterEach(() => slice[Symbol.asyncDispose]());

/** A stored file, as the files subgraph leaves one. */
async function aStoredFile(bytes: Buffer | string = aWav(1), name = 'talk.wav', by = amina): Promise<string> {
  const source = (async function* () {
    yield Buffer.from(bytes);
  })();
  const incoming = { ownerId: by.userId, name, source, maxBytes: 1e9, argumentPath: [] };
  return slice.platform.objects.put(incoming, async (_tx, object) => object.id);
}

const create = (input: object, by = amina) => createMedia(slice, by, input);

/** How many rows and stored objects there are: what a refusal must not change. */
async function everything(): Promise<number[]> {
  const { prisma } = slice.platform.database;
  const counts = [
    prisma.media.count(),
    prisma.transcript.count(),
    prisma.job.count(),
    prisma.storedObject.count(),
    prisma.event.count(),
  ];
  return Promise.all(counts);
}

interface Transcribed {
  transcribe: { job: { id: string; state: string; kind: string; result: { id: string } } | null; errors: Problem[] };
}
async function transcribe(input: object, by = amina): Promise<Transcribed['transcribe']> {
  const query = `mutation Transcribe($input: TranscribeInput!) { transcribe(input: $input) {
    job { id state kind result { ... on Transcript { id } } } errors { code message path } } }`;
  return (await askFor<Transcribed>(slice.subgraph, by, query, { input })).transcribe;
}

const code = (errors: Problem[]): string[] => errors.map((error) => `${error.code} ${error.path?.join('.')}`);

describe('createMedia', () => {
  test('makes a recording of a stored file, with the file’s name as its title', async () => {
    const fileId = await aStoredFile(aWav(1), 'My talk. Part 2.wav');
    expect(await create({ fileId })).toEqual({
      media: {
        id: expect.stringMatching(/^med_/) as string,
        title: 'My talk. Part 2',
        kind: 'AUDIO',
        description: null,
        tags: [],
        file: { id: fileId },
      },
      job: null,
      errors: [],
    });
  });

  test('stores bytes that come in the same request, and begins the transcript in the same step', async () => {
    const input = {
      upload: anUpload(aWav(1), 'talk.wav'),
      title: '  Talk  ',
      description: ' Line\nbreak ',
      tags: ['a', ' b', 'a'],
      transcribe: { language: 'en' },
    };
    const { media, job, errors } = await create(input);
    expect(errors).toEqual([]);
    expect(media).toMatchObject({ title: 'Talk', description: 'Line\nbreak', tags: ['a', 'b'] });
    expect(job).toMatchObject({ state: 'QUEUED', result: { id: expect.stringMatching(/^trn_/) as string } });
    const object = await slice.platform.objects.find(media!.file.id, amina.userId);
    expect(object).toMatchObject({ name: 'talk.wav', mimeType: 'audio/wav', ownerId: amina.userId });
    const row = await slice.platform.database.prisma.job.findUniqueOrThrow({ where: { id: job!.id } });
    expect(row).toMatchObject({ subjectId: media!.id, ownerId: amina.userId, maxAttempts: 3 });
    expect(row.payload).toMatchObject({
      transcriptId: job!.result.id,
      mediaId: media!.id,
      fileId: media!.file.id,
      language: 'en',
      engine: 'scripted',
    });
  });

  test.each([
    ['text', 'just text', 'text/plain'],
    ['a playlist', '#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n', 'application/vnd.apple.mpegurl'],
    [
      'a picture',
      Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489', 'hex'),
      'image/png',
    ],
  ])('refuses %s by its bytes, whatever its name, stored or sent', async (_what, bytes, mimeType) => {
    const fileId = await aStoredFile(bytes, 'talk.mp4');
    const before = await everything();
    for (const input of [{ fileId }, { upload: anUpload(bytes, 'talk.mp4') }]) {
      const { media, errors } = await create({ ...input, transcribe: {} });
      expect(media).toBeNull();
      expect(errors[0]).toMatchObject({ code: 'TYPE_NOT_ALLOWED', path: ['input', Object.keys(input)[0]] });
      expect(errors[0]!.message).toContain(mimeType);
    }
    expect(await everything()).toEqual(before);
  });

  test.each([
    ['neither file nor upload', {}, 'INVALID_INPUT input'],
    ['an unknown file', { fileId: newId('fil') }, 'NOT_FOUND input.fileId'],
    ['what is no file id', { fileId: '1; drop table' }, 'NOT_FOUND input.fileId'],
    ['a file id with a NUL', { fileId: 'fil_\u0000' }, 'NOT_FOUND input.fileId'],
    ['a tag with a NUL', { fileId: 'x', tags: ['\u0000'] }, 'INVALID_INPUT input.tags'],
    ['a description with a NUL', { fileId: 'x', description: 'a\u0000b' }, 'INVALID_INPUT input.description'],
    ['half a character', { fileId: 'x', title: '\ud800' }, 'INVALID_INPUT input.title'],
    ['an engine with a NUL', { fileId: 'x', transcribe: { engine: '\u0000' } }, 'ENGINE_UNAVAILABLE input.transcribe'],
    ['an empty title', { fileId: 'x', title: '  ' }, 'INVALID_INPUT input.title'],
    ['a title of 201 characters', { fileId: 'x', title: 'é'.repeat(201) }, 'INVALID_INPUT input.title'],
    ['a title with a NUL', { fileId: 'x', title: 'a\u0000b' }, 'INVALID_INPUT input.title'],
    [
      'a description of 5001 characters',
      { fileId: 'x', description: 'a'.repeat(5_001) },
      'INVALID_INPUT input.description',
    ],
    ['a description with a bell', { fileId: 'x', description: 'a\u0007' }, 'INVALID_INPUT input.description'],
    [
      '21 tags',
      { fileId: 'x', tags: Array.from({ length: 21 }, (_, index) => `t${index}`) },
      'INVALID_INPUT input.tags',
    ],
    ['a tag of 51 characters', { fileId: 'x', tags: ['a'.repeat(51)] }, 'INVALID_INPUT input.tags'],
  ])('refuses %s', async (_what, input, expected) => {
    const before = await everything();
    const { media, job, errors } = await create(input);
    expect({ media, job, codes: code(errors) }).toEqual({ media: null, job: null, codes: [expected] });
    expect(await everything()).toEqual(before);
  });

  test('refuses a file and an upload together, and a file of somebody else', async () => {
    const fileId = await aStoredFile();
    expect(code((await create({ fileId, upload: anUpload(aWav(1)) })).errors)).toEqual(['INVALID_INPUT input']);
    expect(code((await create({ fileId }, juma)).errors)).toEqual(['NOT_FOUND input.fileId']);
  });

  test('accepts a title of 200 characters, and cuts a file’s name to as many', async () => {
    expect((await create({ fileId: await aStoredFile(), title: '😀'.repeat(200) })).media!.title).toBe(
      '😀'.repeat(200),
    );
    expect((await create({ fileId: await aStoredFile(aWav(1), `${'n'.repeat(250)}.wav`) })).media!.title).toBe(
      'n'.repeat(200),
    );
  });

  test.each([
    [
      'a language that no engine understands',
      { language: 'fr' },
      'UNSUPPORTED input.transcribe.language',
      /"fr".*en-US/,
    ],
    ['an engine that is not here', { engine: 'dragon' }, 'ENGINE_UNAVAILABLE input.transcribe', /"dragon".*scripted/],
  ])('with %s keeps nothing at all', async (_what, options, expected, message) => {
    const before = await everything();
    const { media, job, errors } = await create({ upload: anUpload(aWav(1)), transcribe: options });
    expect({ media, job, codes: code(errors) }).toEqual({ media: null, job: null, codes: [expected] });
    expect(errors[0]!.message).toMatch(message);
    expect(await everything()).toEqual(before);
  });

  test('with an engine that is down tells why, and keeps nothing', async () => {
    script.probe = { available: false, reason: 'Install it with: apt-get install voice' };
    const before = await everything();
    const { errors } = await create({ upload: anUpload(aWav(1)), transcribe: {} });
    expect(code(errors)).toEqual(['ENGINE_UNAVAILABLE input.transcribe']);
    expect(errors[0]!.message).toMatch(/apt-get install voice/);
    expect(await everything()).toEqual(before);
    expect((await create({ upload: anUpload(aWav(1)) })).errors).toEqual([]);
  });
});

describe('an upload', () => {
  const broken = (fail: (source: Readable) => void): Readable => {
    const source = new Readable({ read: () => undefined });
    source.push(aWav(1));
    setImmediate(() => fail(source));
    return source;
  };

  test('that breaks off is told as what it is, and keeps nothing', async () => {
    const before = await everything();
    const upload = anUpload(
      broken((source) => source.destroy(new Error('the client hung up'))),
      'talk.wav',
    );
    const { errors } = await create({ upload, transcribe: {} });
    expect(code(errors)).toEqual(['INVALID_INPUT input.upload']);
    expect(errors[0]!.message).toMatch(/broke off/);
    expect(await everything()).toEqual(before);
  });

  test('whose client leaves before the last byte keeps nothing', async () => {
    const before = await everything();
    const left = new AbortController();
    const upload = anUpload(
      broken(() => left.abort()),
      'talk.wav',
    );
    const query = 'mutation Create($input: CreateMediaInput!) { createMedia(input: $input) { errors { code } } }';
    const payload = await askFor(slice.subgraph, amina, query, { input: { upload } }, left.signal);
    expect(payload).toEqual({ createMedia: { errors: [{ code: 'INVALID_INPUT' }] } });
    expect(await everything()).toEqual(before);
  });

  test('that is empty or too large is refused with the limit', async () => {
    const before = await everything();
    expect(code((await create({ upload: anUpload('') })).errors)).toEqual(['INVALID_INPUT input.upload']);
    const large = await create({ upload: anUpload(Buffer.concat([aWav(1), Buffer.alloc(64 * 1024 ** 2)])) });
    expect(code(large.errors)).toEqual(['FILE_TOO_LARGE input.upload']);
    expect(large.errors[0]!.message).toContain(String(64 * 1024 ** 2));
    expect(await everything()).toEqual(before);
  });
});

describe('an idempotency key', () => {
  test('answers a repeated createMedia with the first recording and job, and stores its bytes once', async () => {
    const call = (bytes = aWav(1)) =>
      create({ upload: anUpload(bytes, 'talk.wav'), transcribe: {}, idempotencyKey: 'k1' });
    const first = await call();
    const before = await everything();
    expect(await call()).toEqual(first);
    expect(await everything()).toEqual(before);
    expect(code((await call(aWav(2))).errors)).toEqual(['IDEMPOTENCY_MISMATCH input.idempotencyKey']);
    expect(await everything()).toEqual(before);
  });

  test('works for a stored file and without a job, and not for another account', async () => {
    const fileId = await aStoredFile();
    const first = await create({ fileId, idempotencyKey: 'k1' });
    expect(await create({ fileId, idempotencyKey: 'k1' })).toEqual(first);
    expect(code((await create({ fileId, title: 'Other', idempotencyKey: 'k1' })).errors)).toEqual([
      'IDEMPOTENCY_MISMATCH input.idempotencyKey',
    ]);
    const theirs = await create({ fileId: await aStoredFile(aWav(1), 'a.wav', juma), idempotencyKey: 'k1' }, juma);
    expect(theirs.media!.id).not.toBe(first.media!.id);
  });

  test('of a call that succeeded answers it also when no engine is there any more', async () => {
    const fileId = await aStoredFile();
    const inputs = [
      { fileId, transcribe: {}, idempotencyKey: 'file' },
      { upload: anUpload(aWav(1), 'talk.wav'), transcribe: {}, idempotencyKey: 'upload' },
    ];
    const again = [inputs[0]!, { ...inputs[1]!, upload: anUpload(aWav(1), 'talk.wav') }];
    const first = [await create(inputs[0]!), await create(inputs[1]!)];
    const call = { mediaId: first[0]!.media!.id, idempotencyKey: 'transcribe' };
    const begun = await transcribe(call);
    const before = await everything();
    script.probe = { available: false, reason: 'It sleeps.' };
    expect([await create(again[0]!), await create(again[1]!)]).toEqual(first);
    expect(await transcribe(call)).toEqual(begun);
    const fresh = { fileId, transcribe: {}, idempotencyKey: 'fresh' };
    expect(code((await create(fresh)).errors)).toEqual(['ENGINE_UNAVAILABLE input.transcribe']);
    expect(code((await transcribe({ ...call, idempotencyKey: 'fresh' })).errors)).toEqual([
      'ENGINE_UNAVAILABLE input.options',
    ]);
    expect(await everything()).toEqual(before);
    // A refusal claims no key.
    script.probe = { available: true };
    expect((await create(fresh)).errors).toEqual([]);
  });

  test('of parallel calls begins one job', async () => {
    const { media } = await create({ fileId: await aStoredFile() });
    const call = () => transcribe({ mediaId: media!.id, idempotencyKey: 'k1' });
    const ids = (await Promise.all([call(), call(), call()])).map(({ job }) => job!.id);
    expect(new Set(ids).size).toBe(1);
    expect(await slice.platform.database.prisma.transcript.count()).toBe(1);
    expect(
      code((await transcribe({ mediaId: media!.id, options: { language: 'sw' }, idempotencyKey: 'k1' })).errors),
    ).toEqual(['IDEMPOTENCY_MISMATCH input.idempotencyKey']);
  });
});

describe('transcribe', () => {
  test('begins a transcript in the language asked for, else in the engine’s own', async () => {
    const { media } = await create({ fileId: await aStoredFile() });
    const { job } = await transcribe({ mediaId: media!.id });
    expect(job).toMatchObject({ kind: 'TRANSCRIBE', state: 'QUEUED' });
    await transcribe({ mediaId: media!.id, options: { language: 'SW', engine: 'scripted' } });
    const query = `query Read($id: ID!) { media(id: $id) {
      owner { id } language transcript { id } inSwahili: transcript(language: "sw") { language }
      transcripts { language state engine media { id } } jobs { nodes { id media { id } error { code } } } } }`;
    const { media: read } = await askFor<{ media: Record<string, unknown> }>(slice.subgraph, amina, query, {
      id: media!.id,
    });
    expect(read).toMatchObject({
      owner: { id: amina.userId },
      language: null,
      inSwahili: { language: 'sw' },
      transcripts: [
        { language: 'sw', state: 'TRANSCRIBING', engine: 'scripted', media: { id: media!.id } },
        { language: 'en-US', state: 'TRANSCRIBING' },
      ],
      jobs: { nodes: [{ media: { id: media!.id }, error: null }, { id: job!.id }] },
    });
  });

  test('refuses what nobody understands, writing nothing', async () => {
    const { media } = await create({ fileId: await aStoredFile() });
    const before = await everything();
    const { job, errors } = await transcribe({ mediaId: media!.id, options: { language: 'fr' } });
    expect({ job, codes: code(errors) }).toEqual({ job: null, codes: ['UNSUPPORTED input.options.language'] });
    expect(await everything()).toEqual(before);
  });
});

describe('library', () => {
  interface Page {
    library: { nodes: { title: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string } };
  }
  async function list(variables: object = {}, by = amina): Promise<Page['library']> {
    const query = `query List($first: Int, $after: String, $filter: MediaFilter) { library(first: $first, after: $after, filter: $filter) {
      nodes { title } pageInfo { hasNextPage endCursor } } }`;
    return (await askFor<Page>(slice.subgraph, by, query, { first: 25, ...variables })).library;
  }
  const titles = async (filter: object): Promise<string[]> => (await list({ filter })).nodes.map(({ title }) => title);

  test('lists the viewer’s recordings newest first, page by page', async () => {
    const fileId = await aStoredFile();
    for (const title of ['1', '2', '3', '4', '5']) await create({ fileId, title });
    const first = await list({ first: 2 });
    expect(first.nodes.map(({ title }) => title)).toEqual(['5', '4']);
    const second = await list({ first: 2, after: first.pageInfo.endCursor });
    const third = await list({ first: 2, after: second.pageInfo.endCursor });
    expect(
      [second, third].map(({ nodes, pageInfo }) => [...nodes.map(({ title }) => title), pageInfo.hasNextPage]),
    ).toEqual([
      ['3', '2', true],
      ['1', false],
    ]);
    expect((await list({}, juma)).nodes).toEqual([]);
  });

  test('finds text in titles and descriptions in any case, whole tags, and takes % and _ as they are', async () => {
    const fileId = await aStoredFile();
    await create({ fileId, title: '100% Swahili' });
    await create({ fileId, title: '1000 words', description: 'Swahili for travellers' });
    await create({ fileId, title: 'under_score', tags: ['travel'] });
    await create({ fileId, title: 'underscore' });
    expect(await titles({ search: 'sWAHILI' })).toEqual(['1000 words', '100% Swahili']);
    expect(await titles({ search: '100%' })).toEqual(['100% Swahili']);
    expect(await titles({ search: 'r_s' })).toEqual(['under_score']);
    expect(await titles({ search: 'travel' })).toEqual(['under_score', '1000 words']);
    expect(await titles({ search: '\\' })).toEqual([]);
  });

  test('filters by kind and by whether a complete transcript exists', async () => {
    const fileId = await aStoredFile();
    const { media } = await create({ fileId, title: 'done' });
    await transcribe({ mediaId: media!.id });
    await slice.platform.database.prisma.transcript.updateMany({ data: { state: 'COMPLETE' } });
    await create({ fileId, title: 'begun', transcribe: {} });
    await slice.platform.database.prisma.media.updateMany({ where: { title: 'begun' }, data: { kind: 'VIDEO' } });
    expect(await titles({ hasTranscript: true })).toEqual(['done']);
    expect(await titles({ hasTranscript: false })).toEqual(['begun']);
    expect(await titles({ kinds: ['VIDEO'] })).toEqual(['begun']);
    expect(await titles({ kinds: [] })).toEqual([]);
    expect(await titles({ kinds: null, hasTranscript: null, search: ' ' })).toEqual(['begun', 'done']);
  });
});

test.each([
  ['a search with a NUL', 'library(filter: { search: "a\\u0000" }) { nodes { id } }'],
  ['a search with half a character', 'library(filter: { search: "\\uD800" }) { nodes { id } }'],
  ['a search of 201 characters', `library(filter: { search: "${'a'.repeat(201)}" }) { nodes { id } }`],
  ['a page of 101', 'library(first: 101) { nodes { id } }'],
  ['a cursor of nothing', 'library(after: "nonsense") { nodes { id } }'],
  ['a cursor with a NUL', 'library(after: "\\u0000") { nodes { id } }'],
  ['a cursor of a NUL', `library(after: "${Buffer.from('k:\0').toString('base64url')}") { nodes { id } }`],
])('%s is refused as bad input', async (_what, field) => {
  const { errors } = await ask(slice.subgraph, amina, `{ ${field} }`);
  expect(errors?.map((error) => error.extensions?.code)).toEqual(['BAD_USER_INPUT']);
});

describe('what belongs to somebody else', () => {
  const READ = `query Read($media: ID!, $transcript: ID!, $entities: [_Any!]!) {
    media(id: $media) { id } transcript(id: $transcript) { id }
    _entities(representations: $entities) { ... on Node { id } } }`;

  test('answers like what does not exist, in queries, entities and mutations', async () => {
    const { media, job } = await create({ fileId: await aStoredFile(), transcribe: {} });
    const transcriptId = job!.result.id;
    const row = { transcriptId, position: 0, startMs: 0, endMs: 1, text: 'Hi.', language: 'en', words: [] };
    const segment = await slice.platform.database.prisma.segment.create({ data: { id: newId('seg'), ...row } });
    const entities = [
      { __typename: 'Media', id: media!.id },
      { __typename: 'Transcript', id: transcriptId },
      { __typename: 'TranscriptSegment', id: segment.id },
      { __typename: 'MediaJob', id: job!.id },
    ];
    const variables = { media: media!.id, transcript: transcriptId, entities };
    const ids = entities.map(({ id }) => ({ id }));
    expect(await askFor(slice.subgraph, amina, READ, variables)).toEqual({
      media: ids[0],
      transcript: ids[1],
      _entities: ids,
    });
    const nothing = { media: null, transcript: null, _entities: [null, null, null, null] };
    expect(await askFor(slice.subgraph, juma, READ, variables)).toEqual(nothing);
    for (const id of ['x', 'med_a\u0000b', '']) {
      const unknown = {
        media: id,
        transcript: id,
        entities: entities.map((entity) => ({ ...entity, id })),
      };
      expect(await askFor(slice.subgraph, juma, READ, unknown)).toEqual(nothing);
    }
    expect(await askFor(slice.subgraph, juma, READ, { ...variables, media: newId('med') })).toEqual(nothing);

    const before = await everything();
    for (const mediaId of [media!.id, newId('med'), 'nonsense', 'med_\u0000']) {
      expect(await transcribe({ mediaId }, juma)).toEqual({
        job: null,
        errors: [{ code: 'NOT_FOUND', message: 'You have no recording with this ID.', path: ['input', 'mediaId'] }],
      });
    }
    expect(await everything()).toEqual(before);
  });

  test('needs an account: an anonymous caller is told to sign in, and sees no entity', async () => {
    const { media } = await create({ fileId: await aStoredFile() });
    const operations = [
      `{ media(id: "${media!.id}") { id } }`,
      '{ transcript(id: "x") { id } }',
      '{ library { nodes { id } } }',
      'mutation { createMedia(input: { fileId: "x" }) { errors { code } } }',
      `mutation { transcribe(input: { mediaId: "${media!.id}" }) { errors { code } } }`,
    ];
    for (const operation of operations) {
      const { errors } = await ask(slice.subgraph, null, operation);
      expect(errors?.map((error) => error.extensions?.code)).toEqual(['UNAUTHENTICATED']);
    }
    const entities = `{ _entities(representations: [{ __typename: "Media", id: "${media!.id}" }]) { ... on Node { id } } }`;
    const { data, errors } = await ask(slice.subgraph, null, entities);
    expect(data).toEqual({ _entities: [null] });
    expect(errors?.map((error) => error.extensions?.code)).toEqual(['UNAUTHENTICATED']);
  });
});

test('mediaEngines tells everybody what there is, and why what is not available is not', async () => {
  const query = `{ mediaEngines { id task available reason local languages streaming wordTimes confidence speakers keyterms
    grammar detectsLanguage punctuation maxKeyterms version quality } }`;
  const engine = {
    id: 'scripted',
    task: 'RECOGNIZE',
    available: true,
    reason: null,
    local: true,
    languages: ['en-US', 'sw'],
    streaming: true,
    wordTimes: true,
    confidence: true,
    speakers: false,
    keyterms: false,
    grammar: false,
    detectsLanguage: false,
    punctuation: true,
    maxKeyterms: 0,
    version: null,
    quality: 'Says what the test wrote.',
  };
  expect(await askFor(slice.subgraph, null, query)).toEqual({ mediaEngines: [engine] });
  script.probe = { available: false, reason: 'It sleeps.' };
  expect(await askFor(slice.subgraph, null, query)).toEqual({
    mediaEngines: [{ ...engine, available: false, reason: 'It sleeps.' }],
  });
});
