import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { repositoryRoot } from '../../platform/root';
import { targetEnvironment } from './environment';
import type { LoadReply, LoadRequest, LoadResult, RunRequest, SubgraphsReply, SubgraphsRequest } from './messages';

/** A process of the benchmark itself that answers one message at a time. */
export class Child<Request extends object, Reply> implements Disposable {
  private readonly child: ChildProcess;

  /** The script is a path inside `bench`. */
  constructor(script: string) {
    this.child = fork(path.join(repositoryRoot(), 'bench', script), {
      execArgv: ['-r', path.join(repositoryRoot(), 'platform/testing/register.cjs')],
      env: targetEnvironment(),
    });
  }

  get pid(): number {
    return this.child.pid!; // without a process `fork` would have thrown
  }

  /** The next message; rejects when the process ends first. */
  receive(): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const onExit = (code: number | null): void => reject(new Error(`a process of the benchmark ended (${code})`));
      this.child.once('exit', onExit);
      this.child.once('message', (reply) => {
        this.child.off('exit', onExit);
        resolve(reply as Reply);
      });
    });
  }

  ask(request: Request): Promise<Reply> {
    const reply = this.receive();
    this.child.send(request);
    return reply;
  }

  [Symbol.dispose](): void {
    this.child.kill('SIGKILL');
  }
}

type Counted = Extract<SubgraphsReply, { kind: 'counted' }>;

/** The subgraphs as the benchmark sees them. */
export interface Subgraphs extends Disposable {
  ports: Readonly<Record<string, number>>;
  record(delayMs: number): Promise<void>;
  /** Calls since the start; also ends a recording. */
  count(): Promise<Counted>;
}

export async function startSubgraphs(): Promise<Subgraphs> {
  const child = new Child<SubgraphsRequest, SubgraphsReply>('gateway/subgraphs.ts');
  const ready = await child.receive();
  if (ready.kind !== 'ready') throw new Error('the subgraphs did not say that they are ready');
  return {
    ports: ready.ports,
    record: async (delayMs) => void (await child.ask({ kind: 'record', delayMs })),
    async count() {
      const reply = await child.ask({ kind: 'count' });
      if (reply.kind !== 'counted') throw new Error('the subgraphs did not count');
      return reply;
    },
    [Symbol.dispose]: () => child[Symbol.dispose](),
  };
}

/** The load generator as the benchmark sees it. */
export interface Load extends Disposable {
  /** Opens connections to a gateway in place of those before, each with one trivial request. */
  open(port: number, connections: number): Promise<void>;
  run(request: RunRequest): Promise<LoadResult>;
}

export function startLoad(): Load {
  const child = new Child<LoadRequest, LoadReply>('gateway/load.ts');
  const ask = async (request: LoadRequest): Promise<LoadResult | undefined> => {
    const reply = await child.ask(request);
    if (reply.kind === 'failed') throw new Error(reply.reason);
    return reply.kind === 'done' ? reply.result : undefined;
  };
  return {
    open: async (port, connections) => void (await ask({ kind: 'open', port, connections })),
    async run(request) {
      const result = await ask({ kind: 'run', ...request });
      if (!result) throw new Error('the load generator gave no result');
      return result;
    },
    [Symbol.dispose]: () => child[Symbol.dispose](),
  };
}
