import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import os from 'node:os';
import { repositoryRoot } from '../../platform/root';
import { waitFor } from '../../platform/testing/wait';
import { READY_LIMIT_MS, type Target } from './target';

export interface ServiceDefinition {
  name: string;
  kind: Target['kind'];
  /** What node is started with. */
  args: readonly string[];
  env: Record<string, string>;
  /** An address that answers 2xx, or a text that it prints, when it is ready. */
  readyWhen: { url: string } | { prints: string };
}

export interface Ending {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** Of what a process prints, this much of the end is kept. */
const KEPT_OUTPUT = 20_000;
const STOP_LIMIT_MS = 20_000;
/** A process that ends by itself is not started again in a busy loop. */
const RETRY_MS = 250;

/** A process that is started again, on the same ports, whenever it ends, until it is stopped. */
export class Service implements Target {
  /** What it printed at the end of each life that nobody had asked to end. */
  readonly unexpectedEndings: string[] = [];
  private child!: ChildProcess;
  private output = '';
  private isKilled = false;
  private isWanted = true;

  constructor(private readonly definition: ServiceDefinition) {
    this.start();
  }

  get name(): string {
    return this.definition.name;
  }

  get kind(): Target['kind'] {
    return this.definition.kind;
  }

  get pid(): number {
    return this.child.pid!;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** Ends it by a signal that it may handle in its own way; resolves when it has ended, and it is started again at once. */
  async end(signal: NodeJS.Signals): Promise<Ending> {
    const { exitCode, signalCode } = this.child;
    if (exitCode !== null || signalCode !== null) return { code: exitCode, signal: signalCode };
    this.isKilled = true;
    const ended = endingOf(this.child);
    this.child.kill(signal);
    return ended;
  }

  async ready(): Promise<void> {
    const { readyWhen } = this.definition;
    const look = async (): Promise<boolean> =>
      'url' in readyWhen ? (await fetch(readyWhen.url)).ok : this.output.includes(readyWhen.prints);
    await waitFor(`${this.name} to be ready`, look, READY_LIMIT_MS).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.output}`);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isWanted = false;
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = endingOf(this.child);
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_LIMIT_MS);
    await ended;
    clearTimeout(timer);
  }

  private start(): void {
    const { args, env } = this.definition;
    const { NODE_ENV: _test, ...inherited } = process.env;
    const child = spawn(process.execPath, ['--enable-source-maps', ...args], {
      cwd: repositoryRoot(),
      env: { ...inherited, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    this.output = '';
    this.isKilled = false;
    lowerPriority(child);
    const keep = (chunk: Buffer): void => void (this.output = `${this.output}${chunk.toString()}`.slice(-KEPT_OUTPUT));
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('exit', (code, signal) => this.ended(code ?? signal));
  }

  private ended(how: number | NodeJS.Signals | null): void {
    if (!this.isWanted) return;
    if (this.isKilled) return this.start();
    this.unexpectedEndings.push(`${this.name} ended by itself (${how}):\n${this.output}`);
    setTimeout(() => this.isWanted && this.start(), RETRY_MS);
  }
}

async function endingOf(child: ChildProcess): Promise<Ending> {
  const [code, signal] = (await once(child, 'exit')) as [Ending['code'], Ending['signal']];
  return { code, signal };
}

/** What is judged are the readers, in this process: they must not wait for a start. */
function lowerPriority({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) os.setPriority(pid, Math.min(os.getPriority() + 5, 19));
  } catch {
    // it has ended already, or the system does not let us
  }
}
