import type { TranscriptRow } from '../records';
import { clockTime } from './clock';
import { makeCues, MAX_CHARACTERS_PER_SECOND, readingSpeed, type Cue } from './cues';
import type { ExportOptions } from './export-options';
import type { ExportSegment } from './export-records';
import { asOneLine } from './lines';
import { toSrt } from './srt';
import { toVtt } from './vtt';

export type TranscriptFormat = 'TXT' | 'SRT' | 'VTT' | 'JSON' | 'CSV';

export interface TranscriptExport {
  mimeType: string;
  text: string;
  warnings: string[];
}

/** What a rendering says of the transcript as a whole. */
export type ExportedTranscript = Pick<
  TranscriptRow,
  'id' | 'language' | 'engine' | 'confidence' | 'durationMs' | 'state'
>;

/** Renders the segments of a transcript, given in their order, as a whole document. */
export function exportTranscript(
  transcript: ExportedTranscript,
  segments: readonly ExportSegment[],
  format: TranscriptFormat,
  _options: ExportOptions,
): TranscriptExport {
  const { warnings, ...document } = render(transcript, segments, format);
  if (transcript.state === 'COMPLETE') return { ...document, warnings };
  return { ...document, warnings: [`The transcript is not complete: it is ${transcript.state}.`, ...warnings] };
}

function render(
  transcript: ExportedTranscript,
  segments: readonly ExportSegment[],
  format: TranscriptFormat,
): TranscriptExport {
  switch (format) {
    case 'TXT': {
      const lines = segments.map((segment) => `${asOneLine(segment.text)}\n`);
      return { mimeType: 'text/plain', text: lines.join(''), warnings: [] };
    }
    case 'CSV':
    case 'JSON':
      return { mimeType: 'application/json', text: toJson(transcript, segments), warnings: [] };
    case 'SRT': {
      const cues = makeCues(segments);
      return { mimeType: 'application/x-subrip', text: toSrt(cues), warnings: cues.flatMap(speedWarning) };
    }
    case 'VTT': {
      const cues = makeCues(segments);
      return { mimeType: 'text/vtt', text: toVtt(cues), warnings: cues.flatMap(speedWarning) };
    }
  }
}

function toJson(transcript: ExportedTranscript, segments: readonly ExportSegment[]): string {
  const { id, language, engine, confidence, durationMs } = transcript;
  const content = segments.map((segment) => ({
    id: segment.id,
    startMs: segment.startMs,
    endMs: segment.endMs,
    text: segment.text,
    confidence: segment.confidence,
    language: segment.language,
    words: segment.words,
  }));
  return `${JSON.stringify({ id, language, engine, confidence, durationMs, segments: content }, null, 2)}\n`;
}

function speedWarning(cue: Cue, index: number): string[] {
  const speed = readingSpeed(cue);
  if (speed <= MAX_CHARACTERS_PER_SECOND) return [];
  const place = `Subtitle ${index + 1} at ${clockTime(cue.startMs, '.')}`;
  return [
    `${place} asks for ${speed.toFixed(1)} characters per second; more than ${MAX_CHARACTERS_PER_SECOND} are hard to read.`,
  ];
}
