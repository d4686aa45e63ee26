import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Database } from '../database/database';

/** `<job id>.<attempt>`: who owns a directory can be told from its name. */
const NAME = /^(job_[0-9a-z]{26})\.(\d+)$/;

export function directoryName(job: { id: string; attempt: number }): string {
  return `${job.id}.${job.attempt}`;
}

/**
 * Removes the directories of attempts that are over, because their worker died before it could. What is in `parent` and
 * was not made by {@link JobDirectory} stays.
 */
export async function removeAbandonedDirectories(parent: string, database: Pick<Database, 'prisma'>): Promise<void> {
  const names = (await namesIn(parent)).filter((name) => NAME.test(name));
  if (names.length === 0) return;
  // A directory is made by an attempt that runs, so what is not running now will not be used any more.
  const running = await database.prisma.job.findMany({
    where: { id: { in: names.map((name) => NAME.exec(name)![1]!) }, state: { in: ['RUNNING', 'CANCELING'] } },
    select: { id: true, attempt: true },
  });
  const used = new Set(running.map(directoryName));
  for (const name of names) if (!used.has(name)) await rm(path.join(parent, name), { recursive: true, force: true });
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** A directory for one attempt's temporary files: made on the first call, removed with everything in it at the end. */
export class JobDirectory implements AsyncDisposable {
  private made: Promise<string> | undefined;

  constructor(
    private readonly parent: string,
    private readonly name: string,
  ) {}

  path(): Promise<string> {
    return (this.made ??= this.make());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.made) await rm(path.join(this.parent, this.name), { recursive: true, force: true });
  }

  private async make(): Promise<string> {
    const directory = path.join(this.parent, this.name);
    await rm(directory, { recursive: true, force: true });
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return directory;
  }
}
