import { bestTranscript } from './best-transcript';
import type { TranscriptRow } from './records';

function transcript(id: string, language: string, state: TranscriptRow['state']): TranscriptRow {
  return {
    id,
    language,
    state,
    ownerId: 'usr_1',
    mediaId: 'm',
    jobId: id,
    engine: 'e',
    languageConfidence: null,
    options: {},
    checkpoint: null,
    revision: 1,
    confidence: null,
    durationMs: null,
    createdAt: new Date(0),
  };
}

/** Newest first, as the records give them. */
const transcripts = [
  transcript('5', 'en-US', 'FAILED'),
  transcript('4', 'en-US', 'TRANSCRIBING'),
  transcript('3', 'sw', 'COMPLETE'),
  transcript('2', 'en-US', 'COMPLETE'),
  transcript('1', 'en', 'COMPLETE'),
];

test.each([
  ['the newest complete one', null, '3'],
  ['the newest complete one of the language', 'en-US', '2'],
  ['also of its regions', 'en', '2'],
  ['none of another language that begins alike', 'e', null],
  ['none of the language alone when a region is wanted', 'sw-KE', null],
])('finds %s', (_what, language, id) => {
  expect(bestTranscript(transcripts, language)?.id ?? null).toBe(id);
});

test('finds one under way only while none is complete, and never a failed one', () => {
  expect(bestTranscript(transcripts.slice(0, 2), null)?.id).toBe('4');
  expect(bestTranscript(transcripts.slice(0, 1), null)).toBeNull();
});
