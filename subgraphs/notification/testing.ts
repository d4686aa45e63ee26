import { newId } from '../../platform/ids';
import type { Viewer } from '../../platform/identity/viewer';
import { createJob, type Job } from '../../platform/jobs/job';
import { JobStore } from '../../platform/jobs/job-store';
import type { Platform } from '../../platform/platform';
import { claim } from '../../platform/testing/claim';

/** What the transcription job of media looks like from here. */
const definition = { kind: 'TRANSCRIBE', maxAttempts: 3, parse: (payload: unknown) => payload as object };

/** A queued job, with its first event. */
export function aJob({
  platform,
  by,
  about = newId('med'),
  needs = [],
  callId = null,
}: {
  platform: Platform;
  by: Viewer;
  about?: string;
  needs?: string[];
  callId?: string | null;
}): Promise<Job> {
  return platform.database.prisma.$transaction((tx) =>
    createJob(tx, platform.events, definition, { ownerId: by.userId, subjectId: about, payload: {}, needs, callId }),
  );
}

/** Moves jobs as a worker does. */
export function aWorker(platform: Platform) {
  const store = new JobStore(platform.database, platform.events);
  return {
    start: (job: Job, attempt = 1) => claim(platform, store, job.id, { attempt }),
    progress: (job: Job, progress: number) =>
      store.progress(job.id, 1, { progress, stage: 'recognize', expectedInMs: null }),
    succeed: (job: Job, attempt = 1) => store.succeed(job.id, attempt, () => Promise.resolve()),
    fail: (job: Job, message: string, attempt = 1) =>
      store.giveUp(job.id, attempt, { code: 'NO_SPEECH', message, retryable: false }, () => Promise.resolve()),
    endCanceled: (job: Job) => store.cancelWaiting(job.id, () => Promise.resolve()),
  };
}
