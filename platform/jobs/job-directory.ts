import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';

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
