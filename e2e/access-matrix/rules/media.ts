import { byId, mutation, type Belongings, type Rule, type Rules } from '../rule';

const change = (
  name: string,
  input: string,
  shown: string,
  kind: keyof Belongings,
  inputOf: (id: string, own: Belongings) => object,
): Rule => mutation('media', name, input, shown, kind, inputOf);

export const MEDIA_RULES: Rules = {
  'Query.media.id': byId('media', 'media', 'id title', 'med'),
  'Query.transcript.id': byId('media', 'transcript', 'id text', 'trn'),
  'Query.liveSession.id': byId('media', 'liveSession', 'id title', 'liv'),
  'Query.estimate.input.mediaId': {
    kind: 'med',
    subgraph: 'media',
    document: 'query Read($input: EstimateInput!) { estimate(input: $input) { queuePosition } }',
    variables: (mediaId) => ({ input: { kind: 'TRANSCRIBE', mediaId } }),
  },
  'Mutation.createMedia.input.fileId': change(
    'createMedia',
    'CreateMediaInput',
    'media { title }',
    'fil',
    (fileId) => ({
      fileId,
    }),
  ),
  'Mutation.transcribe.input.mediaId': change('transcribe', 'TranscribeInput', 'job { kind }', 'med', (mediaId) => ({
    mediaId,
  })),
  'Mutation.translateTranscript.input.transcriptId': change(
    'translateTranscript',
    'TranslateTranscriptInput',
    'jobs { kind }',
    'trn',
    (transcriptId) => ({ transcriptId, to: ['es'] }),
  ),
  'Mutation.exportTranscript.input.transcriptId': change(
    'exportTranscript',
    'ExportTranscriptInput',
    'job { kind }',
    'trn',
    (transcriptId) => ({ transcriptId, format: 'TXT' }),
  ),
  'Mutation.transcode.input.mediaId': change('transcode', 'TranscodeInput', 'job { kind }', 'med', (mediaId) => ({
    mediaId,
    preset: 'MP3',
  })),
  'Mutation.transcode.input.subtitlesFrom': change(
    'transcode',
    'TranscodeInput',
    'job { kind }',
    'trn',
    (subtitlesFrom, { med }) => ({ mediaId: med, preset: 'HLS', subtitlesFrom }),
  ),
  'Mutation.reprocess.input.mediaId': change('reprocess', 'ReprocessInput', 'jobs { kind }', 'med', (mediaId) => ({
    mediaId,
  })),
  'Mutation.editSegment.input.segmentId': change(
    'editSegment',
    'EditSegmentInput',
    'segment { text }',
    'seg',
    (segmentId) => ({ segmentId, expectedRevision: 1, text: 'Right.' }),
  ),
  'Mutation.editSegment.input.speakerId': change(
    'editSegment',
    'EditSegmentInput',
    'segment { revision }',
    'spk',
    (speakerId, { seg }) => ({ segmentId: seg, expectedRevision: 1, speakerId }),
  ),
  'Mutation.renameSpeaker.input.transcriptId': change(
    'renameSpeaker',
    'RenameSpeakerInput',
    'transcript { revision }',
    'trn',
    (transcriptId, { spk }) => ({ transcriptId, speakerId: spk, label: 'Ann' }),
  ),
  'Mutation.renameSpeaker.input.speakerId': change(
    'renameSpeaker',
    'RenameSpeakerInput',
    'transcript { revision }',
    'spk',
    (speakerId, { trn }) => ({ transcriptId: trn, speakerId, label: 'Ann' }),
  ),
  'Mutation.renameSpeaker.input.userId': change(
    'renameSpeaker',
    'RenameSpeakerInput',
    'transcript { revision }',
    'usr',
    (userId, { trn, spk }) => ({ transcriptId: trn, speakerId: spk, label: 'Ann', userId }),
  ),
  'Mutation.appendLiveAudio.input.sessionId': {
    ...change('appendLiveAudio', 'AppendLiveAudioInput', 'session { id state }', 'liv', (sessionId) => ({
      sessionId,
      sequence: 1,
      chunk: null,
    })),
    upload: 'input.chunk',
  },
  'Mutation.flushLiveSession.input.sessionId': change(
    'flushLiveSession',
    'LiveSessionIdInput',
    'session { id state }',
    'liv',
    (sessionId) => ({ sessionId }),
  ),
  'Mutation.endLiveSession.input.sessionId': change(
    'endLiveSession',
    'LiveSessionIdInput',
    'session { id state }',
    'liv',
    (sessionId) => ({ sessionId }),
  ),
  'Subscription.liveTranscript.sessionId': {
    kind: 'liv',
    subgraph: 'media',
    document: 'subscription Follow($id: ID!) { liveTranscript(sessionId: $id, snapshot: true) { __typename } }',
    variables: (id) => ({ id }),
  },
  'Subscription.transcriptEvents.transcriptId': {
    kind: 'trn',
    subgraph: 'media',
    document: 'subscription Follow($id: ID!) { transcriptEvents(transcriptId: $id) { __typename } }',
    variables: (id) => ({ id }),
  },
};
