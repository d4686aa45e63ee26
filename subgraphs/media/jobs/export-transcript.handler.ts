import { JobProblem, type JobHandler } from '../../../platform/jobs/job-handler';
import type { Platform } from '../../../platform/platform';
import { ExportJobRecords } from '../exporting/export-job-records';
import { exportFileName } from '../exporting/file-name';
import { exportOf, TranslationMissingError } from '../exports/export-of';
import { ExportRecords } from '../exports/export-records';
import { recordLineage } from '../lineage/lineage';
import { exportOrigin } from '../lineage/origins';
import { MEDIA_MODELS, type MediaTransaction } from '../records';
import { problemOfRule } from './job-problems';
import { exportTranscriptJob, type ExportTranscriptPayload } from './export-transcript';

/**
 * Makes the handler of EXPORT_TRANSCRIPT jobs. The bytes are in the store before the file's row is written together with
 * the job's success: there is one file for each job, and none of an attempt that did not end.
 */
export function createExportTranscriptHandler(options: {
  platform: Pick<Platform, 'database' | 'objects' | 'maxFileBytes'>;
}): JobHandler<ExportTranscriptPayload, MediaTransaction> {
  const { objects, maxFileBytes, database } = options.platform;
  const slice = database.slice(MEDIA_MODELS);
  const records = new ExportJobRecords(slice);
  const contents = new ExportRecords(slice);
  return {
    definition: exportTranscriptJob,
    async run({ transcriptId, format, options }, context) {
      const { job, signal } = context;
      context.progress(0, 'render');
      const transcript = await records.source(transcriptId, job.ownerId);
      if (!transcript) throw new JobProblem('NOT_FOUND', 'The transcript is gone.', false);
      const { translation } = options;
      // Read before the text is: a change in between makes the file stale, never a stale file look fresh.
      const translated = translation === null ? null : await records.translationOf(transcriptId, translation);
      const origin = exportOrigin(transcript, translated, { format, options });
      const { text, mimeType } = await exportOf(contents, transcript, format, options).catch(asJobProblem);
      signal.throwIfAborted();
      context.progress(0.5, 'store');
      const file = await objects
        .hold({
          ownerId: job.ownerId,
          name: exportFileName(transcript.media.title, format, translation),
          source: bytesOf(text),
          maxBytes: maxFileBytes,
          mimeType,
          argumentPath: [],
        })
        .catch(asJobProblem);
      context.undo(() => file.discard());
      return async (tx) => {
        await file.register(tx);
        const mediaId = transcript.media.id;
        await records.attach(tx, job.id, { mediaId, fileId: file.id });
        await recordLineage(tx, { outputId: file.id, mediaId, kind: exportTranscriptJob.kind }, origin);
      };
    },
  };
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array, void, void> {
  yield Buffer.from(text);
}

function asJobProblem(error: unknown): never {
  if (error instanceof TranslationMissingError)
    throw new JobProblem('NOT_FOUND', error.message, false, { cause: error });
  throw problemOfRule(error) ?? error;
}
