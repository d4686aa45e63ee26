import { UserProblemError } from '../../../platform/errors';
import type { MediaProblemCode } from '../errors';
import {
  checkedExportOptions,
  ExportOptionError,
  type ExportOptions,
  type ExportOptionsInput,
} from '../exports/export-options';
import type { TranscriptFormat } from '../exports/export-transcript';

const MAX_FILES = 10;

/** A file as a client asks for it. */
export interface FileInput {
  format: TranscriptFormat;
  options?: ExportOptionsInput | null | undefined;
}

/** A file to be rendered, with every option filled in. */
export interface WantedFile {
  format: TranscriptFormat;
  options: ExportOptions;
}

/** Throws INVALID_INPUT for an option out of bounds, at its place below `path`. */
export function checkedFile({ format, options }: FileInput, path: string[]): WantedFile {
  try {
    return { format, options: checkedExportOptions(options) };
  } catch (error) {
    if (!(error instanceof ExportOptionError)) throw error;
    throw invalid(error.message, [...path, 'options', error.option]);
  }
}

/** The files of a transcript that is yet to be made: they can show only translations that are made with it. */
export function checkedFiles(
  files: readonly FileInput[],
  translations: readonly string[],
  path: string[],
): WantedFile[] {
  if (files.length > MAX_FILES) throw invalid(`Give at most ${MAX_FILES} files; these are ${files.length}.`, path);
  return files.map((file, index) => {
    const place = [...path, String(index)];
    const wanted = checkedFile(file, place);
    const { translation } = wanted.options;
    if (translation === null || translations.includes(translation)) return wanted;
    const message = `A file in "${translation}" needs the translation: name the language in "translateTo" too.`;
    throw invalid(message, [...place, 'options', 'translation']);
  });
}

function invalid(message: string, path: string[]): UserProblemError<MediaProblemCode> {
  return new UserProblemError({ code: 'INVALID_INPUT', message, path });
}
