import { DEFAULT_EXPORT_OPTIONS } from './export-options';
import type { ExportSegment } from './export-records';
import { exportTranscript as exportWith, type ExportedTranscript, type TranscriptFormat } from './export-transcript';

const exportTranscript = (of: ExportedTranscript, segments: ExportSegment[], format: TranscriptFormat) =>
  exportWith(of, segments, format, DEFAULT_EXPORT_OPTIONS);

const transcript = {
  id: 'trn_1',
  language: 'en',
  engine: 'pocketsphinx',
  confidence: 0.8,
  durationMs: 7_300_000,
  state: 'COMPLETE' as const,
};

function segment(position: number, text: string, startMs: number, endMs: number): ExportSegment {
  return {
    id: `seg_${position}`,
    transcriptId: 'trn_1',
    position,
    revision: 1,
    state: 'FINAL',
    channel: 0,
    speakerId: null,
    text,
    startMs,
    endMs,
    confidence: 0.8,
    language: 'en',
    words: [],
    speakerLabel: null,
    translation: null,
  };
}

const segments = [segment(0, 'Good morning.', 500, 1_900), segment(1, 'Where were we?', 7_261_007, 7_262_500)];

test('TXT is one line for each segment', () => {
  expect(exportTranscript(transcript, segments, 'TXT')).toEqual({
    mimeType: 'text/plain',
    text: 'Good morning.\nWhere were we?\n',
    warnings: [],
  });
});

test('SRT is numbered from 1, with a comma before the milliseconds', () => {
  expect(exportTranscript(transcript, segments, 'SRT')).toEqual({
    mimeType: 'application/x-subrip',
    text: '1\n00:00:00,500 --> 00:00:01,900\nGood morning.\n\n2\n02:01:01,007 --> 02:01:02,500\nWhere were we?\n',
    warnings: [],
  });
});

test('VTT begins with its header and has a point before the milliseconds', () => {
  expect(exportTranscript(transcript, segments, 'VTT')).toEqual({
    mimeType: 'text/vtt',
    text: 'WEBVTT\n\n00:00:00.500 --> 00:00:01.900\nGood morning.\n\n02:01:01.007 --> 02:01:02.500\nWhere were we?\n',
    warnings: [],
  });
});

test('JSON holds the segments with their words', () => {
  const words = [{ text: 'Hi.', startMs: 0, endMs: 300, confidence: 1 }];
  const { mimeType, text } = exportTranscript(transcript, [{ ...segment(0, 'Hi.', 0, 300), words }], 'JSON');
  expect(mimeType).toBe('application/json');
  expect(JSON.parse(text)).toEqual({
    id: 'trn_1',
    language: 'en',
    engine: 'pocketsphinx',
    confidence: 0.8,
    durationMs: 7_300_000,
    segments: [{ id: 'seg_0', startMs: 0, endMs: 300, text: 'Hi.', confidence: 0.8, language: 'en', words }],
  });
});

test('markup and arrows inside a text stay text', () => {
  const tricky = [segment(0, 'a <b>&amp; --> c\nNOTE\u0000 d', 0, 2_000)];
  const vtt = exportTranscript(transcript, tricky, 'VTT').text;
  expect(vtt).toBe('WEBVTT\n\n00:00:00.000 --> 00:00:02.000\na &lt;b&gt;&amp;amp; --&gt; c NOTE d\n');
  expect(exportTranscript(transcript, tricky, 'SRT').text).toBe(
    '1\n00:00:00,000 --> 00:00:02,000\na <b>&amp; → c NOTE d\n',
  );
  expect(exportTranscript(transcript, tricky, 'TXT').text).toBe('a <b>&amp; --> c NOTE d\n');
});

test('subtitles that are too fast to read are told with their place', () => {
  const fast = [segment(0, 'Thirty characters in one second.', 1_000, 1_800), segment(1, 'Next.', 2_000, 3_000)];
  for (const format of ['SRT', 'VTT'] as const) {
    expect(exportTranscript(transcript, fast, format).warnings).toEqual([
      'Subtitle 1 at 00:00:01.000 asks for 32.0 characters per second; more than 20 are hard to read.',
    ]);
  }
  expect(exportTranscript(transcript, fast, 'TXT').warnings).toEqual([]);
});

test('a transcript that is not complete says so', () => {
  expect(exportTranscript({ ...transcript, state: 'TRANSCRIBING' }, [], 'VTT')).toEqual({
    mimeType: 'text/vtt',
    text: 'WEBVTT\n',
    warnings: ['The transcript is not complete: it is TRANSCRIBING.'],
  });
});
