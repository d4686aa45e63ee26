import { SautiError } from '../../../platform/errors';
import type { ExportOptions } from './export-options';
import type { ExportedTranscript, ExportRecords } from './export-records';
import { exportTranscript, type TranscriptExport, type TranscriptFormat } from './export-transcript';

/**
 * Renders a transcript that the caller has been found to own, as it is now: corrections, names of speakers and, when
 * asked for, the translation. Throws {@link TranslationMissingError}.
 */
export async function exportOf(
  read: ExportRecords,
  transcript: ExportedTranscript,
  format: TranscriptFormat,
  options: ExportOptions,
): Promise<TranscriptExport> {
  const { segments, isTranslated } = await read.contentOf(transcript.id, options.translation);
  if (!isTranslated) throw new TranslationMissingError(options.translation!);
  return exportTranscript(transcript, segments, format, options);
}

/** The transcript has no translation into the language it is to be rendered in. */
export class TranslationMissingError extends SautiError {
  constructor(language: string) {
    super(
      'NOT_FOUND',
      `The transcript has no translation into "${language}". Make one with translateTranscript first.`,
    );
    this.name = 'TranslationMissingError';
  }
}
