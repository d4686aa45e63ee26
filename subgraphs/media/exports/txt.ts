import type { ExportOptions } from './export-options';
import type { ExportSegment } from './export-records';
import { asOneLine } from './lines';
import { shownTexts } from './shown-texts';

/** One line for each segment; with `bilingual` two, and an empty one between segments. */
export function toTxt(segments: readonly ExportSegment[], options: ExportOptions): string {
  const blocks = segments.map((segment, index) => {
    const { text, translation } = shownTexts(segment, options);
    const name = segment.speakerLabel;
    const isNew = options.speakers && name !== null && name !== segments[index - 1]?.speakerLabel;
    const lines = [`${isNew ? `${name}: ` : ''}${text}`, ...(translation === null ? [] : [translation])];
    return lines.map((line) => `${asOneLine(line)}\n`).join('');
  });
  return blocks.join(options.bilingual ? '\n' : '');
}
