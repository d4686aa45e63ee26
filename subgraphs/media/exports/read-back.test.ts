import { spawnSync } from 'node:child_process';
import { describeWhenInstalled, programMissing } from '../../../platform/testing/installed';
import { DEFAULT_EXPORT_OPTIONS, type ExportOptions } from './export-options';
import type { ExportSegment } from './export-records';
import { exportTranscript } from './export-transcript';

const transcript = {
  id: 'trn_1',
  language: 'en',
  engine: 'pocketsphinx',
  confidence: null,
  durationMs: null,
  state: 'COMPLETE' as const,
};

const TEXTS = [
  'Good morning.',
  'a < b, b > c & "d" --> e',
  'no <i>markup</i> {\\an8}here {i}and there',
  '7\n\n00:00:01,000 --> 00:00:02,000\nNot a cue.',
  'WEBVTT NOTE STYLE \u2028 %d | -i',
  'Ein längerer Satz, der auf zwei Zeilen steht, 日本語 und mehr.',
];

const segments = TEXTS.map((text, position): ExportSegment => {
  const [startMs, endMs] = [position * 4_000 + 137, position * 4_000 + 3_137];
  const row = { id: `seg_${position}`, transcriptId: 'trn_1', position, revision: 1, channel: 0, speakerId: null };
  const more = { text, startMs, endMs, confidence: null, language: 'en', words: [], state: 'FINAL' as const };
  return { ...row, ...more, stableWords: 0, turnEnd: null, speakerLabel: 'Ann "x"\n\n7', translation: null };
});

/** The cues that ffmpeg finds, converted to the other format: times and text without line breaks and marks. */
function readBack(format: 'SRT' | 'VTT', options: Partial<ExportOptions> = {}): { times: string; text: string }[] {
  const { text } = exportTranscript(transcript, segments, format, { ...DEFAULT_EXPORT_OPTIONS, ...options });
  const [from, to] = format === 'SRT' ? ['srt', 'webvtt'] : ['webvtt', 'srt'];
  const parameters = ['-v', 'warning', '-nostdin', '-f', from, '-i', 'pipe:0', '-f', to, 'pipe:1'];
  const { stdout, stderr } = spawnSync('ffmpeg', parameters, { input: text, encoding: 'utf8' });
  expect(stderr).toBe('');
  const cues = stdout.replaceAll('\r', '').matchAll(/^([\d:.,]+ --> [\d:.,]+)\n((?:.+\n)+)/gm);
  return [...cues].map(([, times, lines]) => ({ times: times!, text: asRead(lines!) }));
}

function asRead(lines: string): string {
  // ffmpeg writes the braces of a text as ASS has them.
  const plain = lines
    .trim()
    .replace(/\s+/g, ' ')
    .replaceAll('\u2060', '')
    .replace(/\\([{}])/g, '$1');
  return plain.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

const expectedTexts = (arrow: string): string[] =>
  TEXTS.map((text) => text.replace(/\s+/g, ' ').replaceAll('-->', arrow));

describeWhenInstalled(programMissing('ffmpeg', 'ffmpeg'), 'subtitles read by ffmpeg', () => {
  test('as SRT have every text and every time, and nothing that a text pretends to be', () => {
    const cues = readBack('SRT');
    expect(cues.map(({ text }) => text)).toEqual(expectedTexts('→'));
    expect(cues[2]!.times).toBe('00:08.137 --> 00:11.137');
    expect(cues).toHaveLength(TEXTS.length);
  });

  test('as VTT have every text and every time, whatever the speakers are called', () => {
    const cues = readBack('VTT', { speakers: true });
    expect(cues.map(({ text }) => text)).toEqual(expectedTexts('-->'));
    expect(cues[2]!.times).toBe('00:00:08,137 --> 00:00:11,137');
  });
});
