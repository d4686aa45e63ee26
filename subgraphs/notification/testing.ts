import { newId } from '../../platform/ids';
import type { Viewer } from '../../platform/identity/viewer';
import { createJob, type Job } from '../../platform/jobs/job';
import { JobStore } from '../../platform/jobs/job-store';
import type { Platform } from '../../platform/platform';
import type { Subgraph } from '../../platform/subgraph/subgraph';
import { identityOf } from '../../platform/testing/calls';
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

/** An open subscription that remembers what has arrived. */
export class Subscriber<Event> {
  private readonly results: AsyncGenerator<{ data?: unknown; errors?: unknown }, void, void>;

  constructor(subgraph: Subgraph, viewer: Viewer | null, query: string, variables: Record<string, unknown> = {}) {
    const { signal } = new AbortController();
    this.results = subgraph.subscribe({ query, variables }, { identity: identityOf(viewer), signal });
  }

  /** The next `count` events; fails when the stream ends or refuses before. */
  async take(count: number): Promise<Event[]> {
    const events: Event[] = [];
    while (events.length < count) events.push(await this.next());
    return events;
  }

  /** All events up to the end of the stream. */
  async all(): Promise<Event[]> {
    const events: Event[] = [];
    for await (const result of this.results) events.push(eventOf(result));
    return events;
  }

  /** The first result as it came, errors included, and whether the stream ended behind it. */
  async refusal(): Promise<{ errors?: unknown; ended: boolean }> {
    const first = await this.results.next();
    const second = await this.results.next();
    return { errors: first.value?.errors, ended: second.done === true };
  }

  async leave(): Promise<void> {
    await this.results.return();
  }

  private async next(): Promise<Event> {
    const { done, value } = await this.results.next();
    if (done) throw new Error('The stream ended.');
    return eventOf(value);
  }
}

function eventOf(result: { data?: unknown; errors?: unknown }): never {
  if (result.errors) throw new Error(`The stream answered with errors: ${JSON.stringify(result.errors)}`);
  return Object.values(result.data as object)[0] as never;
}
