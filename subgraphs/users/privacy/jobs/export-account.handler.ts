import type { AccountData } from '../../../../platform/account-data';
import { JobProblem, type JobContext, type JobHandler } from '../../../../platform/jobs/job-handler';
import { UserProblemError, type UserProblem } from '../../../../platform/errors';
import type { HeldObject } from '../../../../platform/objects/stored-objects';
import type { Platform } from '../../../../platform/platform';
import { USERS_MODELS, type UsersTransaction } from '../../records';
import { PrivacyRecords } from '../privacy-records';
import { ZipArchive } from '../zip-archive';
import { exportAccountJob, type ExportAccountPayload } from './export-account';

/**
 * Makes the handler of EXPORT_ACCOUNT jobs. Every slice writes what it has into one archive, which goes into the store as
 * it is written; its row is written together with the job's success. It belongs to the job, so it is in no list of files.
 */
export function createExportAccountHandler(options: {
  platform: Pick<Platform, 'database' | 'objects'>;
  /** In the order in which they are asked. */
  slices: readonly Pick<AccountData, 'subgraph' | 'export'>[];
}): JobHandler<ExportAccountPayload, UsersTransaction> {
  const { platform, slices } = options;
  const records = new PrivacyRecords(platform.database.slice(USERS_MODELS));
  return {
    definition: exportAccountJob,
    async run(_payload, context) {
      const archive = new ZipArchive(context.signal);
      const [held, written] = await Promise.allSettled([
        hold(archive, context),
        writeAll(archive, context).catch((error: unknown) => {
          archive.fail(error as Error);
          throw error;
        }),
      ]);
      if (held.status === 'fulfilled') context.undo(() => held.value.discard());
      context.signal.throwIfAborted();
      // A store that cannot take the archive ends the writing as well: its reason is the first one.
      if (held.status === 'rejected') throw asJobProblem(held.reason);
      if (written.status === 'rejected') throw written.reason;
      return async (tx) => void (await held.value.register(tx));
    },
  };

  function hold(archive: ZipArchive, { job }: JobContext<UsersTransaction>): Promise<HeldObject> {
    return platform.objects.hold({
      ownerId: job.ownerId,
      partOf: job.id,
      name: `sauti-account-${job.createdAt.toISOString().slice(0, 10)}.zip`,
      source: archive.output,
      // As much as the account has; nobody chose the size.
      maxBytes: Number.MAX_SAFE_INTEGER,
      mimeType: 'application/zip',
      argumentPath: [],
    });
  }

  async function writeAll(archive: ZipArchive, context: JobContext<UsersTransaction>): Promise<void> {
    const { ownerId, id: jobId } = context.job;
    for (const [index, slice] of slices.entries()) {
      context.progress(index / slices.length, 'collect');
      const counts = await slice.export(ownerId, archive);
      await context.transaction((tx) => records.writeReceipt(tx, { jobId, subgraph: slice.subgraph }, counts));
    }
    context.progress(1, 'pack');
    archive.end();
  }
}

/** A store without room says so as it does to an upload; there may be room again at the next attempt. */
function asJobProblem(error: unknown): unknown {
  if (!(error instanceof UserProblemError)) return error;
  const { code, message } = error.problem as UserProblem;
  return new JobProblem(code, message, true, { cause: error });
}
