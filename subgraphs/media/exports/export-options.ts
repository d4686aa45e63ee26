import { SautiError } from '../../../platform/errors';

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

/** Options as a client gives them. */
export type ExportOptionsInput = { [Option in keyof ExportOptions]?: ExportOptions[Option] | null | undefined };

/** The options with every default filled in. Throws {@link ExportOptionError} for one out of bounds. */
export function checkedExportOptions(input: ExportOptionsInput | null | undefined): ExportOptions {
  const given = Object.entries(input ?? {}).filter(([, value]) => value != null);
  const options: ExportOptions = { ...DEFAULT_EXPORT_OPTIONS, ...Object.fromEntries(given) };
  for (const [option, [least, most]] of Object.entries(BOUNDS)) {
    const value = options[option as keyof typeof BOUNDS];
    if (value >= least && value <= most) continue;
    throw new ExportOptionError(option, `"${option}" must be between ${least} and ${most}; it was ${value}.`);
  }
  if (options.bilingual && options.translation === null) {
    throw new ExportOptionError('bilingual', '"bilingual" needs "translation": the language below.');
  }
  return options;
}

/** An option that no rendering can follow; `option` names it. */
export class ExportOptionError extends SautiError {
  constructor(
    readonly option: string,
    message: string,
  ) {
    super('BAD_USER_INPUT', message);
    this.name = 'ExportOptionError';
  }
}

const BOUNDS = {
  maxLineLength: [10, 200],
  maxLines: [1, 4],
  maxCharactersPerSecond: [5, 50],
} as const;
