/** How a transcript is rendered, with every default filled in; see `ExportOptions` in the graph. */
export interface ExportOptions {
  maxLineLength: number;
  maxLines: number;
  maxCharactersPerSecond: number;
  speakers: boolean;
  words: boolean;
  translation: string | null;
  bilingual: boolean;
}

/**
 * The defaults: 2 lines of 42 characters at most 20 characters a second, as in Netflix's timed-text guide for adult
 * programmes in English.
 */
export const DEFAULT_EXPORT_OPTIONS: ExportOptions = {
  maxLineLength: 42,
  maxLines: 2,
  maxCharactersPerSecond: 20,
  speakers: false,
  words: false,
  translation: null,
  bilingual: false,
};
