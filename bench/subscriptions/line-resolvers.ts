import type { JobLog, Line } from './job-log';

/** Resolvers of the subscription fields. */
export function lineResolvers(log: JobLog) {
  const resolve = (line: Line): Line => line;
  return {
    lines: {
      subscribe: (_: unknown, { job, after }: { job: string; after?: string | null }) => log.read(job, after),
      resolve,
    },
    plainLines: { subscribe: (_: unknown, { job }: { job: string }) => log.read(job), resolve },
  };
}
