import type { EventLog } from '../../../platform/events/event-log';
import { createJob, type Job } from '../../../platform/jobs/job';
import { refineTranscriptJob } from '../jobs/refine-transcript';
import type { MediaTransaction } from '../records';
import { parsePlan } from '../transcription/recognition-plan';

/**
 * Writes the job that hears the recording of a live transcript again, in the transaction that ends the session, behind
 * `Recording.keep`. It appends to the owner's topic of jobs: call it last, behind the events of the transcript. Throws when
 * the transcript has no recording, or was begun without a plan.
 */
export async function beginRefinement(tx: MediaTransaction, events: EventLog, transcriptId: string): Promise<Job> {
  const { media, options } = await tx.transcript.findUniqueOrThrow({
    where: { id: transcriptId },
    include: { media: true },
  });
  if (!media) throw new Error(`${transcriptId} has no recording that could be heard again.`);
  return createJob(tx, events, refineTranscriptJob, {
    ownerId: media.ownerId,
    subjectId: media.id,
    payload: { transcriptId, mediaId: media.id, fileId: media.fileId, ...parsePlan(options) },
    size: media.durationMs,
  });
}
