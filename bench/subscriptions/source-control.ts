import type { JobLog } from './job-log';

/** What the benchmark asks the process in which lines are announced, as JSON at {@link CONTROL_PATH}. */
export type SourceRequest = { kind: 'publish'; job: string; lines: number; bytes: number } | { kind: 'count' };

/** Totals since the start. `seq` and `at` are of the last line announced. */
export interface SourceReply {
  seq: number;
  readersOpen: number;
  readersOpened: number;
  /** `_entities` calls at all subgraphs, and the representations in them. */
  entityCalls: number;
  representations: number;
}

export interface EntityCount {
  entityCalls: number;
  representations: number;
}

export const CONTROL_PATH = '/bench';

export function answerControl(log: JobLog, entities: EntityCount, request: SourceRequest): SourceReply {
  let seq = 0;
  if (request.kind === 'publish')
    for (let line = 0; line < request.lines; line += 1) ({ seq } = log.publish(request.job, request.bytes));
  return { seq, readersOpen: log.readers.open, readersOpened: log.readers.opened, ...entities };
}

/** The source as the benchmark sees it. */
export interface Source {
  /** Announces lines one right after the other; resolves with the number of the last one. */
  publish(job: string, lines: number, bytes: number): Promise<number>;
  count(): Promise<SourceReply>;
}

export function sourceAt(port: number): Source {
  const ask = async (request: SourceRequest): Promise<SourceReply> => {
    const response = await fetch(`http://127.0.0.1:${port}${CONTROL_PATH}`, {
      method: 'POST',
      body: JSON.stringify(request),
    });
    return (await response.json()) as SourceReply;
  };
  return {
    publish: async (job, lines, bytes) => (await ask({ kind: 'publish', job, lines, bytes })).seq,
    count: () => ask({ kind: 'count' }),
  };
}
