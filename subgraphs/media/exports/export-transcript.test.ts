import { DEFAULT_EXPORT_OPTIONS, type ExportOptions } from './export-options';
import type { ExportedTranscript, ExportSegment } from './export-records';
import { exportTranscript as exportWith, type TranscriptFormat } from './export-transcript';

const exportTranscript = (
  of: ExportedTranscript,
  segments: ExportSegment[],
  format: TranscriptFormat,
  options: Partial<ExportOptions> = {},
) => exportWith(of, segments, format, { ...DEFAULT_EXPORT_OPTIONS, ...options });

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
    stableWords: 0,
    turnEnd: null,
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
    segments: [
      {
        id: 'seg_0',
        startMs: 0,
        endMs: 300,
        text: 'Hi.',
        confidence: 0.8,
        language: 'en',
        channel: 0,
        speaker: null,
        state: 'FINAL',
        words,
      },
    ],
  });
});

test('markup and arrows inside a text stay text', () => {
  const tricky = [segment(0, 'a <b>&amp; --> c\nNOTE\u0000 d', 0, 2_000)];
  const vtt = exportTranscript(transcript, tricky, 'VTT').text;
  expect(vtt).toBe('WEBVTT\n\n00:00:00.000 --> 00:00:02.000\na &lt;b&gt;&amp;amp; --&gt; c NOTE d\n');
  expect(exportTranscript(transcript, tricky, 'SRT').text).toBe(
    '1\n00:00:00,000 --> 00:00:02,000\na <\u2060b>&amp; → c NOTE d\n',
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

const said = (position: number, speakerLabel: string | null, text: string): ExportSegment => ({
  ...segment(position, text, position * 2_000, position * 2_000 + 1_500),
  speakerLabel,
});

describe('with speakers', () => {
  const talk = [
    said(0, 'Ann\n<b>', 'Hello.'),
    said(1, 'Ann\n<b>', 'Well?'),
    said(2, 'Bo', 'Yes.'),
    said(3, null, 'Hm.'),
  ];

  test('the name stands where it changes, in TXT and SRT', () => {
    const { text } = exportTranscript(transcript, talk, 'TXT', { speakers: true });
    expect(text).toBe('Ann <b>: Hello.\nWell?\nBo: Yes.\nHm.\n');
    const lines = exportTranscript(transcript, talk, 'SRT', { speakers: true }).text.split('\n\n');
    expect(lines.map((block) => block.split('\n')[2])).toEqual(['Ann <\u2060b>: Hello.', 'Well?', 'Bo: Yes.', 'Hm.']);
  });

  test('a name counts as text, and a long one takes a line', () => {
    const long = [said(0, 'The Honourable Member for Mvita', 'I beg to differ with you.')];
    const { text } = exportTranscript(transcript, long, 'SRT', { speakers: true });
    expect(text.split('\n').slice(2, 4)).toEqual(['The Honourable Member for', 'Mvita: I beg to differ with you.']);
  });

  test('each cue of VTT has its voice, whatever the name holds', () => {
    const { text } = exportTranscript(transcript, talk, 'VTT', { speakers: true });
    expect(text.match(/<v .*/g)).toEqual(['<v Ann &lt;b&gt;>Hello.', '<v Ann &lt;b&gt;>Well?', '<v Bo>Yes.']);
    expect(exportTranscript(transcript, talk, 'VTT').text).not.toContain('<v');
  });
});

describe('with a translation', () => {
  const translated = (position: number, text: string, translation: ExportSegment['translation']) => ({
    ...segment(position, text, position * 2_000, position * 2_000 + 1_500),
    translation,
  });
  const both = [
    translated(0, 'Good morning.', { text: 'Bonjour.', isStale: false }),
    translated(1, 'Where were we?', { text: 'Où étions-nous ?', isStale: true }),
    translated(2, 'Here.', null),
  ];
  const warnings = [
    '1 segment has no translation into "fr" yet; the original stands there.',
    '1 segment has been corrected since the translation; translate the transcript again.',
  ];

  test('it takes the place of what was said, at the same times, and its gaps are told', () => {
    expect(exportTranscript(transcript, both, 'TXT', { translation: 'fr' })).toEqual({
      mimeType: 'text/plain',
      text: 'Bonjour.\nOù étions-nous ?\nHere.\n',
      warnings,
    });
    const vtt = exportTranscript(transcript, both, 'VTT', { translation: 'fr', words: true });
    expect(vtt.text).toContain('00:00:02.000 --> 00:00:03.500\nOù étions-nous ?\n');
    expect(vtt.warnings).toEqual(warnings);
    const { segments } = JSON.parse(exportTranscript(transcript, both, 'JSON', { translation: 'fr' }).text) as {
      segments: { text: string; language: string }[];
    };
    expect(segments.map(({ text, language }) => `${language} ${text}`)).toEqual([
      'fr Bonjour.',
      'fr Où étions-nous ?',
      'en Here.',
    ]);
  });

  test('or stands below it', () => {
    const options = { translation: 'fr', bilingual: true };
    expect(exportTranscript(transcript, both, 'TXT', options).text).toBe(
      'Good morning.\nBonjour.\n\nWhere were we?\nOù étions-nous ?\n\nHere.\n',
    );
    expect(exportTranscript(transcript, both, 'SRT', options).text).toContain(
      '2\n00:00:02,000 --> 00:00:03,500\nWhere were we?\nOù étions-nous ?\n\n3',
    );
    expect(exportTranscript(transcript, both, 'CSV', options).text.split('\r\n')[1]).toBe(
      'seg_0,0,1500,0,,en,0.8,FINAL,Good morning.,Bonjour.',
    );
  });
});

describe('with words', () => {
  const words = ['One', 'two', 'three.'].map((text, index) => ({
    text,
    startMs: 1_000 + index * 400,
    endMs: 1_300 + index * 400,
    confidence: index === 1 ? null : 0.5,
  }));
  const counted = [{ ...segment(0, 'One two three.', 1_000, 2_100), words }];

  test('VTT marks each word with the moment it is said, the first by the cue itself', () => {
    expect(exportTranscript(transcript, counted, 'VTT', { words: true }).text).toBe(
      'WEBVTT\n\n00:00:01.000 --> 00:00:02.100\nOne <00:00:01.400>two <00:00:01.800>three.\n',
    );
  });

  test('CSV has a row for each', () => {
    expect(exportTranscript(transcript, counted, 'CSV', { words: true }).text).toBe(
      'segmentId,startMs,endMs,channel,speaker,language,confidence,word\r\n' +
        'seg_0,1000,1300,0,,en,0.5,One\r\nseg_0,1400,1700,0,,en,,two\r\nseg_0,1800,2100,0,,en,0.5,three.\r\n',
    );
  });
});

test('CSV quotes what needs it and keeps a spreadsheet from running a text', () => {
  const tricky = ['=HYPERLINK("x","y")', '+1', '-1', '@SUM(A1)', '＝1', ' \t=1', 'a "b", c', 'a\r\nb', 'plain'];
  const rows = tricky.map((text, position) => said(position, position === 8 ? '=cmd' : null, text));
  const lines = exportTranscript(transcript, rows, 'CSV').text.split('\r\n');
  expect(lines[0]).toBe('segmentId,startMs,endMs,channel,speaker,language,confidence,state,text');
  expect(lines.slice(1, -1).map((line) => line.split(',FINAL,')[1])).toEqual([
    `"'=HYPERLINK(""x"",""y"")"`,
    "'+1",
    "'-1",
    "'@SUM(A1)",
    "'＝1",
    "'=1",
    '"a ""b"", c"',
    'a b',
    'plain',
  ]);
  expect(lines[9]).toContain(",0,'=cmd,en,");
});

test('subtitles that are hard to follow are told with their place, and not without end', () => {
  const rows = [
    segment(0, 'Now.', 0, 400),
    segment(1, 'Both at once, and this goes on', 400, 3_000),
    segment(2, 'x'.repeat(50), 2_500, 9_000),
  ];
  expect(exportTranscript(transcript, rows, 'SRT').warnings).toEqual([
    'Subtitle 1 at 00:00:00.000 is shown for 400 ms; less than 1 s is easily missed.',
    'Subtitle 3 at 00:00:02.500 is said while the one before is still spoken.',
    'Subtitle 3 at 00:00:02.500 holds a word of more than 42 characters, which is cut.',
  ]);
  const many = Array.from({ length: 150 }, (_, index) => segment(index, 'Now.', index * 300, index * 300 + 300));
  const { warnings } = exportTranscript(transcript, many, 'VTT');
  expect(warnings).toHaveLength(101);
  expect(warnings.at(-1)).toBe('And 49 more warnings like these.');
});
