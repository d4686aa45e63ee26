import type { ExportOptions } from './export-options';
import type { ExportSegment } from './export-records';

/** What a rendering shows of a segment. One that has not been translated yet is shown as it was said. */
export function shownTexts(
  { text, language, translation }: ExportSegment,
  options: Pick<ExportOptions, 'translation' | 'bilingual'>,
): { text: string; language: string; translation: string | null } {
  if (options.bilingual) return { text, language, translation: translation?.text ?? null };
  if (!translation) return { text, language, translation: null };
  return { text: translation.text, language: options.translation!, translation: null };
}
