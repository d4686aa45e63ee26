import type { Job } from '../database/prisma-client/client';

/** Turns a row of `platform.job`, as a raw query answers it with all its columns, into what Prisma's own queries answer. */
export function jobOf(row: Record<string, unknown>): Job {
  const fields = Object.entries(row).map(([column, value]) => [
    column.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    value,
  ]);
  return Object.fromEntries(fields) as Job;
}
