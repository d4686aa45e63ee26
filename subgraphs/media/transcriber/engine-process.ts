import type { ChildProcess } from 'node:child_process';
import type { Pooled } from './pool';
import { TranscriberFailedError } from './transcriber';

/** What a child answers each request with; after `failed` its state is not known. */
type Reply = { value: unknown } | { failed: string };

/** How long a request that nobody waits for any more may go on before its process is killed. */
const LEFT_LIMIT_MS = 500;
const STDERR_KEPT_CHARACTERS = 2_000;

/**
 * An engine in a process of its own, started by `startChild`. Requests are answered one after the other; the promise of a
 * request is the back-pressure. Once broken (it failed, crashed, was killed, did not answer in time) it stays broken: every
 * request then throws TranscriberFailedError.
 */
export class EngineProcess implements Pooled {
  readonly #exited: Promise<void>;
  #waiting: { resolve: (reply: Reply) => void; reject: (error: Error) => void } | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #broken: Error | undefined;
  #stderr = '';

  constructor(
    private readonly child: ChildProcess,
    /** `answerLimitMs`: a request that takes longer means that the library hangs, unless it is given a limit of its own. */
    private readonly options: { name: string; answerLimitMs: number },
  ) {
    child.on('message', (reply: Reply) => this.#receive(reply));
    child.on('error', (error) => this.#break(error));
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT_CHARACTERS);
    });
    this.#exited = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.#break(new Error(`it ended with ${signal ?? `code ${code}`}. ${this.complaint}`.trim()));
        resolve();
      });
    });
  }

  get isUsable(): boolean {
    return this.#broken === undefined;
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** The last line that it wrote to its stderr, without the folders in front of file names. */
  get complaint(): string {
    const last = this.#stderr.trim().split('\n').at(-1) ?? '';
    return last.replace(/(\/[^\s/:']+)+\//g, '').slice(0, 200);
  }

  /** Requests never overlap: each waits for the one before it, even when its caller has given up. */
  request(request: { type: string } & Record<string, unknown>, limitMs = this.options.answerLimitMs): Promise<unknown> {
    const sent = this.#last.catch(() => {}).then(() => this.#ask(request, limitMs));
    this.#last = sent;
    sent.catch(() => {});
    return sent;
  }

  /** Resolves when no request is under way. One that a caller has left ends soon, or its process does. */
  async settled(): Promise<void> {
    const timer = setTimeout(() => this.#kill(new Error('its caller has left')), LEFT_LIMIT_MS);
    await this.#last.catch(() => {});
    clearTimeout(timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#kill(new Error('it was closed'));
    await this.#exited;
  }

  async #ask(request: object, limitMs: number): Promise<unknown> {
    if (this.#broken) throw this.#failure(this.#broken);
    const timer = setTimeout(() => this.#kill(new Error('it does not answer')), limitMs);
    try {
      const reply = await new Promise<Reply>((resolve, reject) => {
        this.#waiting = { resolve, reject };
        this.child.send(request, (error) => error && this.#break(error));
      });
      if (!('failed' in reply)) return reply.value;
      this.#broken ??= new Error(reply.failed);
      throw this.#failure(this.#broken);
    } finally {
      clearTimeout(timer);
    }
  }

  #receive(reply: Reply): void {
    this.#waiting?.resolve(reply);
    this.#waiting = undefined;
  }

  #kill(cause: Error): void {
    this.#break(cause);
    this.child.kill('SIGKILL');
  }

  #break(cause: Error): void {
    this.#broken ??= cause;
    this.#waiting?.reject(this.#failure(this.#broken));
    this.#waiting = undefined;
  }

  #failure(cause: Error): TranscriberFailedError {
    return new TranscriberFailedError(`The process of ${this.options.name} cannot go on: ${cause.message}`, { cause });
  }
}
