import { toCsv } from './csv';
import { cueTextsOf } from './cue-texts';
import { makeCues, type Cue } from './cues';
import type { ExportOptions } from './export-options';
import type { ExportedTranscript, ExportSegment } from './export-records';
import { toJson } from './json';
import { toSrt } from './srt';
import { toTxt } from './txt';
import { toVtt } from './vtt';
import { subtitleWarnings, translationWarnings } from './warnings';

export type TranscriptFormat = 'TXT' | 'SRT' | 'VTT' | 'JSON' | 'CSV';

export interface TranscriptExport {
  mimeType: string;
  text: string;
  warnings: string[];
}

/** Renders the segments of a transcript, given in their order, as a whole document. */
export function exportTranscript(
  transcript: ExportedTranscript,
  segments: readonly ExportSegment[],
  format: TranscriptFormat,
  options: ExportOptions,
): TranscriptExport {
  const { mimeType, text, cues } = render(transcript, segments, format, options);
  const incomplete =
    transcript.state === 'COMPLETE' ? [] : [`The transcript is not complete: it is ${transcript.state}.`];
  const warnings = [...incomplete, ...translationWarnings(segments, options), ...subtitleWarnings(cues, options)];
  return { mimeType, text, warnings };
}

function render(
  transcript: ExportedTranscript,
  segments: readonly ExportSegment[],
  format: TranscriptFormat,
  options: ExportOptions,
): { mimeType: string; text: string; cues: Cue[] } {
  switch (format) {
    case 'TXT':
      return { mimeType: 'text/plain', text: toTxt(segments, options), cues: [] };
    case 'CSV':
      return { mimeType: 'text/csv', text: toCsv(segments, options), cues: [] };
    case 'JSON':
      return { mimeType: 'application/json', text: toJson(transcript, segments, options), cues: [] };
    case 'SRT': {
      const cues = makeCues(cueTextsOf(segments, options, 'inText'), options);
      return { mimeType: 'application/x-subrip', text: toSrt(cues), cues };
    }
    case 'VTT': {
      const cues = makeCues(cueTextsOf(segments, options, 'asVoice'), options);
      const isSaid = options.translation === null || options.bilingual; // nobody has said the words of a translation
      return { mimeType: 'text/vtt', text: toVtt(cues, { words: options.words && isSaid }), cues };
    }
  }
}
