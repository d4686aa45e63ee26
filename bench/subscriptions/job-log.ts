/** One line of a job, as it is announced. */
export interface Line {
  id: string;
  seq: number;
  /** When it was announced: microseconds of the machine's monotonic clock, which all processes share. */
  at: number;
  text: string;
  cursor: string;
}

/** What is kept of each job for those who continue from a cursor. */
const MAX_STORED_BYTES = 64 * 1024 ** 2;

/** The lines of all jobs in memory, handed to any number of readers the way the usual pub/sub engines do it. */
export class JobLog {
  /** Readers at the moment, and all there were. */
  readonly readers = { open: 0, opened: 0 };
  private readonly jobs = new Map<string, Job>();

  /** Announces one line with a text of this many bytes. */
  publish(name: string, bytes: number): Line {
    const job = this.jobOf(name);
    const seq = job.nextSeq++;
    const line: Line = { id: `${name}:${seq}`, seq, at: nowUs(), text: 'x'.repeat(bytes), cursor: String(seq) };
    job.stored.push(line);
    const excess = job.stored.length - Math.max(16, Math.floor(MAX_STORED_BYTES / (bytes + 100)));
    if (excess > 0) job.stored.splice(0, excess);
    for (const push of job.listeners) push(line);
    return line;
  }

  /** The lines after a cursor, or from now on. Throws when the cursor is no longer covered. */
  read(name: string, after?: string | null): AsyncIterableIterator<Line> {
    const job = this.jobOf(name);
    const stored = after == null ? [] : storedAfter(job, Number(after));
    this.readers.open += 1;
    this.readers.opened += 1;
    return lineIterator(job, stored, () => (this.readers.open -= 1));
  }

  private jobOf(name: string): Job {
    const job = this.jobs.get(name) ?? { nextSeq: 1, stored: [], listeners: new Set() };
    this.jobs.set(name, job);
    return job;
  }
}

interface Job {
  nextSeq: number;
  stored: Line[];
  listeners: Set<(line: Line) => void>;
}

function storedAfter({ stored, nextSeq }: Job, after: number): Line[] {
  const oldest = stored[0]?.seq ?? nextSeq;
  if (!(after + 1 >= oldest && after < nextSeq)) throw new Error(`The cursor ${after} is not covered.`);
  return stored.filter(({ seq }) => seq > after);
}

/** Pushed lines wait in a queue until they are pulled. */
function lineIterator(job: Job, queue: Line[], onReturn: () => void): AsyncIterableIterator<Line> {
  const waiting: ((result: IteratorResult<Line>) => void)[] = [];
  let isOpen = true;
  const push = (line: Line): void => {
    const resolve = waiting.shift();
    if (resolve) resolve({ value: line, done: false });
    else queue.push(line);
  };
  const end = (): Promise<IteratorResult<Line>> => {
    if (isOpen) {
      isOpen = false;
      job.listeners.delete(push);
      onReturn();
      for (const resolve of waiting.splice(0)) resolve({ value: undefined, done: true });
    }
    return Promise.resolve({ value: undefined, done: true });
  };
  job.listeners.add(push);
  return {
    next() {
      if (!isOpen) return Promise.resolve({ value: undefined, done: true });
      const line = queue.shift();
      if (line) return Promise.resolve({ value: line, done: false });
      return new Promise((resolve) => waiting.push(resolve));
    },
    return: end,
    throw: end,
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** Microseconds of a clock that all processes of one machine share. */
export function nowUs(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}
