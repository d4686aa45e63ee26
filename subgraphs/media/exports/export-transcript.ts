import type { SegmentRow, TranscriptRow } from '../records';
import { clockTime } from './clock';
import { makeCues, MAX_CHARACTERS_PER_SECOND, readingSpeed, type Cue } from './cues';
import { asOneLine } from './lines';
import { toSrt } from './srt';
import { toVtt } from './vtt';

export type TranscriptFormat = 'TXT' | 'SRT' | 'VTT' | 'JSON' | 'CSV';

export interface TranscriptExport {
  mimeType: string;
  text: string;
  warnings: string[];
}

/** Renders the segments of a transcript, given in their order, as a whole document. */
export function exportTranscript(
  transcript: Pick<TranscriptRow, 'id' | 'language' | 'engine' | 'confidence' | 'durationMs' | 'state'>,
  segments: readonly SegmentRow[],
  format: TranscriptFormat,
): TranscriptExport {
  const { warnings, ...document } = render(transcript, segments, format);
  if (transcript.state === 'COMPLETE') return { ...document, warnings };
  return { ...document, warnings: [`The transcript is not complete: it is ${transcript.state}.`, ...warnings] };
}

function render(
  transcript: Parameters<typeof exportTranscript>[0],
  segments: readonly SegmentRow[],
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

function toJson(transcript: Parameters<typeof exportTranscript>[0], segments: readonly SegmentRow[]): string {
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
