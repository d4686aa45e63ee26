import type { ExportOptions } from './export-options';
import type { ExportSegment } from './export-records';
import { asOneLine } from './lines';
import { shownTexts } from './shown-texts';

type Cell = string | number | null;

/**
 * A table after RFC 4180 with a header, one row for each segment, or with `words` for each word that was said. A text that a spreadsheet
 * would take for a formula (it begins with `=`, `+`, `-` or `@`, also in full width) gets an apostrophe before it, which
 * spreadsheets do not show; JSON has every text as it is.
 */
export function toCsv(segments: readonly ExportSegment[], options: ExportOptions): string {
  const rows = options.words ? wordRows(segments) : segmentRows(segments, options);
  return rows.map((row) => `${row.map(asCell).join(',')}\r\n`).join('');
}

function segmentRows(segments: readonly ExportSegment[], options: ExportOptions): Cell[][] {
  const header = ['segmentId', 'startMs', 'endMs', 'channel', 'speaker', 'language', 'confidence', 'state', 'text'];
  const rows = segments.map((segment): Cell[] => {
    const { text, translation, language } = shownTexts(segment, options);
    const { id, startMs, endMs, channel, speakerLabel, confidence, state } = segment;
    const row = [id, startMs, endMs, channel, speakerLabel, language, confidence, state, text];
    return options.bilingual ? [...row, translation] : row;
  });
  return [options.bilingual ? [...header, 'translation'] : header, ...rows];
}

function wordRows(segments: readonly ExportSegment[]): Cell[][] {
  const rows = segments.flatMap(({ id, channel, speakerLabel, language, words }) =>
    words.map((word): Cell[] => {
      return [id, word.startMs, word.endMs, channel, speakerLabel, language, word.confidence, word.text];
    }),
  );
  return [['segmentId', 'startMs', 'endMs', 'channel', 'speaker', 'language', 'confidence', 'word'], ...rows];
}

function asCell(value: Cell): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const line = asOneLine(value);
  const text = /^[=+\-@＝＋－＠]/.test(line) ? `'${line}` : line;
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
