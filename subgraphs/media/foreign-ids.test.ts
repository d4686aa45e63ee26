import { newId, type IdPrefix } from '../../platform/ids';
import type { Viewer } from '../../platform/identity/viewer';
import { createJob } from '../../platform/jobs/job';
import { readRepositoryFile } from '../../platform/root';
import { aViewer, anUpload, ask, askFor, firstOf } from '../../platform/testing/calls';
import { idPlaces } from '../../platform/testing/id-places';
import { translateTranscriptJob } from './jobs/translate-transcript';
import { aScript, heard, openMediaSlice, scripted, writtenTranslator, type MediaSlice } from './testing';
import { aLiveTranscript, aTranscript } from './testing-transcripts';

/** Everything that somebody has here, by the kind of its id. */
type Belongings = Record<Exclude<IdPrefix, 'ses' | 'ntf' | 'idn' | 'mfa' | 'key' | 'crd' | 'aud' | 'mal'>, string>;

/** How a place is asked with an id, by somebody who names `own` things everywhere else. */
interface Rule {
  kind: keyof Belongings;
  query: string;
  variables: (id: string, own: Belongings) => Record<string, unknown>;
}

const ERRORS = 'errors { code message path }';
const mutation = (field: string, input: string, shown: string): string =>
  `mutation Go($input: ${input}!) { ${field}(input: $input) { ${shown} ${ERRORS} } }`;
const entity = (type: string, kind: keyof Belongings): Rule => ({
  kind,
  query: `query Read($of: [_Any!]!) { _entities(representations: $of) { ... on ${type} { __typename id } } }`,
  variables: (id) => ({ of: [{ __typename: type, id }] }),
});

const RULES: Readonly<Record<string, Rule>> = {
  '_entities.Media': entity('Media', 'med'),
  '_entities.Transcript': entity('Transcript', 'trn'),
  '_entities.TranscriptSegment': entity('TranscriptSegment', 'seg'),
  '_entities.TranscriptTranslation': entity('TranscriptTranslation', 'ttr'),
  '_entities.Rendition': entity('Rendition', 'rnd'),
  '_entities.MediaJob': entity('MediaJob', 'job'),
  '_entities.LiveSession': entity('LiveSession', 'liv'),
  'Query.media.id': {
    kind: 'med',
    query: 'query Read($id: ID!) { media(id: $id) { id title } }',
    variables: (id) => ({ id }),
  },
  'Query.transcript.id': {
    kind: 'trn',
    query: 'query Read($id: ID!) { transcript(id: $id) { id text } }',
    variables: (id) => ({ id }),
  },
  'Query.liveSession.id': {
    kind: 'liv',
    query: 'query Read($id: ID!) { liveSession(id: $id) { id title } }',
    variables: (id) => ({ id }),
  },
  'Query.estimate.input.mediaId': {
    kind: 'med',
    query: 'query Read($input: EstimateInput!) { estimate(input: $input) { queuePosition } }',
    variables: (mediaId) => ({ input: { kind: 'TRANSCRIBE', mediaId } }),
  },
  'Mutation.createMedia.input.fileId': {
    kind: 'fil',
    query: mutation('createMedia', 'CreateMediaInput', 'media { title }'),
    variables: (fileId) => ({ input: { fileId } }),
  },
  'Mutation.transcribe.input.mediaId': {
    kind: 'med',
    query: mutation('transcribe', 'TranscribeInput', 'job { kind }'),
    variables: (mediaId) => ({ input: { mediaId } }),
  },
  'Mutation.translateTranscript.input.transcriptId': {
    kind: 'trn',
    query: mutation('translateTranscript', 'TranslateTranscriptInput', 'jobs { kind }'),
    variables: (transcriptId) => ({ input: { transcriptId, to: ['es'] } }),
  },
  'Mutation.exportTranscript.input.transcriptId': {
    kind: 'trn',
    query: mutation('exportTranscript', 'ExportTranscriptInput', 'job { kind }'),
    variables: (transcriptId) => ({ input: { transcriptId, format: 'TXT' } }),
  },
  'Mutation.transcode.input.mediaId': {
    kind: 'med',
    query: mutation('transcode', 'TranscodeInput', 'job { kind }'),
    variables: (mediaId) => ({ input: { mediaId, preset: 'MP3' } }),
  },
  'Mutation.transcode.input.subtitlesFrom': {
    kind: 'trn',
    query: mutation('transcode', 'TranscodeInput', 'job { kind }'),
    variables: (subtitlesFrom, { med }) => ({ input: { mediaId: med, preset: 'HLS', subtitlesFrom } }),
  },
  'Mutation.reprocess.input.mediaId': {
    kind: 'med',
    query: mutation('reprocess', 'ReprocessInput', 'jobs { kind }'),
    variables: (mediaId) => ({ input: { mediaId } }),
  },
  'Mutation.editSegment.input.segmentId': {
    kind: 'seg',
    query: mutation('editSegment', 'EditSegmentInput', 'segment { text }'),
    variables: (segmentId) => ({ input: { segmentId, expectedRevision: 1, text: 'Right.' } }),
  },
  'Mutation.editSegment.input.speakerId': {
    kind: 'spk',
    query: mutation('editSegment', 'EditSegmentInput', 'segment { revision }'),
    variables: (speakerId, { seg }) => ({ input: { segmentId: seg, expectedRevision: 1, speakerId } }),
  },
  'Mutation.renameSpeaker.input.transcriptId': {
    kind: 'trn',
    query: mutation('renameSpeaker', 'RenameSpeakerInput', 'transcript { revision }'),
    variables: (transcriptId, { spk }) => ({ input: { transcriptId, speakerId: spk, label: 'Ann' } }),
  },
  'Mutation.renameSpeaker.input.speakerId': {
    kind: 'spk',
    query: mutation('renameSpeaker', 'RenameSpeakerInput', 'transcript { revision }'),
    variables: (speakerId, { trn }) => ({ input: { transcriptId: trn, speakerId, label: 'Ann' } }),
  },
  'Mutation.renameSpeaker.input.userId': {
    kind: 'usr',
    query: mutation('renameSpeaker', 'RenameSpeakerInput', 'transcript { revision }'),
    variables: (userId, { trn, spk }) => ({ input: { transcriptId: trn, speakerId: spk, label: 'Ann', userId } }),
  },
  'Mutation.appendLiveAudio.input.sessionId': {
    kind: 'liv',
    query: mutation('appendLiveAudio', 'AppendLiveAudioInput', 'session { id state }'),
    variables: (sessionId) => ({ input: { sessionId, sequence: 1, chunk: anUpload(new Uint8Array(320)) } }),
  },
  'Mutation.flushLiveSession.input.sessionId': {
    kind: 'liv',
    query: mutation('flushLiveSession', 'LiveSessionIdInput', 'session { id state }'),
    variables: (sessionId) => ({ input: { sessionId } }),
  },
  'Mutation.endLiveSession.input.sessionId': {
    kind: 'liv',
    query: mutation('endLiveSession', 'LiveSessionIdInput', 'session { id state }'),
    variables: (sessionId) => ({ input: { sessionId } }),
  },
  'Subscription.liveTranscript.sessionId': {
    kind: 'liv',
    query: 'subscription Follow($id: ID!) { liveTranscript(sessionId: $id, snapshot: true) { __typename } }',
    variables: (id) => ({ id }),
  },
  'Subscription.transcriptEvents.transcriptId': {
    kind: 'trn',
    query: 'subscription Follow($id: ID!) { transcriptEvents(transcriptId: $id) { __typename } }',
    variables: (id) => ({ id }),
  },
};

/** Names of speech engines: everybody may read these. */
const PUBLIC = [
  'Mutation.createMedia.input.transcribe.engine',
  'Mutation.transcribe.input.options.engine',
  'Mutation.reprocess.input.options.engine',
  'Mutation.startLiveSession.input.options.engine',
];

let slice: MediaSlice;
const [owner, stranger] = [aViewer(), aViewer()];
let [theirs, mine]: [Belongings, Belongings] = [{}, {}] as [Belongings, Belongings];
beforeAll(async () => {
  slice = await openMediaSlice(scripted(aScript()), { translator: writtenTranslator('es') });
  [theirs, mine] = [await belongingsOf(owner), await belongingsOf(stranger)];
});
afterAll(() => slice[Symbol.asyncDispose]());

async function belongingsOf(viewer: Viewer): Promise<Belongings> {
  const { platform } = slice;
  const { prisma } = platform.database;
  const given = await aTranscript(slice, viewer, [{ ...heard(0, 0, 'One.'), speakerKey: 'Speaker 1' }]);
  const { mediaId, transcriptId, segmentIds, speakerIds } = given;
  // Nobody has to look into the file.
  const { fileId } = await prisma.media.update({ where: { id: mediaId }, data: { durationMs: 10_000 } });
  await prisma.mediaFacts.create({ data: { mediaId, probeKnown: true } });
  const job = await prisma.$transaction((tx) => {
    const payload = { jobId: 'job', transcriptId, language: 'ca' };
    const wanted = { ownerId: viewer.userId, subjectId: mediaId, payload };
    return createJob(tx, platform.events, translateTranscriptJob, wanted);
  });
  const translation = { id: newId('ttr'), transcriptId, jobId: job.id, language: 'ca' };
  await prisma.transcriptTranslation.create({ data: translation });
  const rendition = { id: newId('rnd'), mediaId, jobId: newId('job'), preset: 'MP3', mimeType: 'audio/mpeg' } as const;
  await prisma.rendition.create({ data: { ...rendition, fileId } });
  const { sessionId } = await aLiveTranscript(slice, viewer, []);
  return {
    ...{ usr: viewer.userId, med: mediaId, fil: fileId, trn: transcriptId, seg: segmentIds[0]! },
    ...{ spk: speakerIds['Speaker 1']!, ttr: translation.id, rnd: rendition.id, job: job.id, liv: sessionId },
  };
}

/** What is answered to an id, without the id itself. */
async function answer({ query, variables }: Rule, viewer: Viewer | null, id: string, own: Belongings): Promise<string> {
  const go = query.startsWith('subscription') ? firstOf : ask;
  const result = await go(slice.subgraph, viewer, query, variables(id, own));
  return JSON.stringify(result).replaceAll(id, 'ID');
}

/** What a caller could have changed. */
async function everything(): Promise<unknown> {
  const { prisma } = slice.platform.database;
  return Promise.all([
    prisma.media.findMany({ orderBy: { id: 'asc' } }),
    prisma.transcript.findMany({ orderBy: { id: 'asc' } }),
    prisma.segment.findMany({ orderBy: { id: 'asc' } }),
    prisma.liveSession.findMany({ orderBy: { id: 'asc' } }),
    prisma.speaker.findMany({ orderBy: { id: 'asc' } }),
    prisma.transcriptTranslation.findMany({ orderBy: { id: 'asc' } }),
    prisma.job.count(),
  ]);
}

test('every place of the schema that takes an id has a rule here', () => {
  expect(idPlaces(readRepositoryFile('subgraphs/media/schema.graphql'))).toEqual(
    [...Object.keys(RULES), ...PUBLIC].sort(),
  );
});

test.each(Object.entries(RULES))(
  '%s: somebody else’s id is answered as one that there is not',
  async (_place, rule) => {
    const before = await everything();
    const unknown = newId(rule.kind);
    expect(await answer(rule, stranger, theirs[rule.kind], mine)).toBe(await answer(rule, stranger, unknown, mine));
    expect(await answer(rule, null, theirs[rule.kind], theirs)).toBe(await answer(rule, null, unknown, theirs));
    expect(await everything()).toEqual(before);
  },
);

test('what a job has made is shown only to whom it belongs', async () => {
  const query =
    'query Read($of: [_Any!]!) { _entities(representations: $of) { ... on MediaJob { id result { __typename } } } }';
  const of = [{ __typename: 'MediaJob', id: theirs.job }];
  const read = () => askFor(slice.subgraph, owner, query, { of });
  expect(await read()).toMatchObject({ _entities: [{ result: { __typename: 'TranscriptTranslation' } }] });
  const move = (ownerId: string) =>
    slice.platform.database.prisma.transcript.update({ where: { id: theirs.trn }, data: { ownerId } });
  await move(stranger.userId);
  const result = await read();
  await move(owner.userId);
  expect(result).toEqual({ _entities: [{ id: theirs.job, result: null }] });
});

test.each(Object.entries(RULES))('%s: the owner’s id is answered otherwise', async (_place, rule) => {
  const own = await belongingsOf(owner);
  const unknown = await answer(rule, owner, newId(rule.kind), own);
  expect(await answer(rule, owner, own[rule.kind], own)).not.toBe(unknown);
});
