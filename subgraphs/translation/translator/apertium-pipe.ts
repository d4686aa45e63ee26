import { startProcesses, type ApertiumProcesses } from './apertium-processes';
import { TranslatorError } from './translator';

export interface ApertiumPipeOptions {
  /** The programs of the pipe, as shell words (see `apertium-modes.ts`). */
  stages: readonly string[];
  /** How long the oldest request in the pipe may take before the pipe is thought dead; 1 ms per character is added. */
  deadlineMs: number;
  /** The processes end after this long without a request. */
  idleMs: number;
}

/**
 * Characters written ahead of the answers: enough to keep every program busy (10,000 characters take about 0.15 s),
 * little enough that a request whose caller has left is usually dropped unwritten.
 */
const WINDOW_CHARACTERS = 20_000;
/** Beyond this, about half a minute of work, the queue says BUSY. */
const MAX_WAITING_CHARACTERS = 2_000_000;

interface PipeRequest {
  readonly stream: string;
  /** Echoed by the pipe at the end of the answer, so that no answer can ever reach the wrong caller. */
  token: string;
  attempts: number;
  settled: boolean;
  readonly resolve: (answer: string) => void;
  readonly reject: (reason: unknown) => void;
}

/** One life of the programs, and the requests they hold, oldest first. */
interface Running {
  readonly processes: ApertiumProcesses;
  readonly inFlight: PipeRequest[];
  inFlightCharacters: number;
  deadline?: NodeJS.Timeout;
}

/**
 * The warm processes of one translation direction. They start with the first request, answer requests in the order
 * they were written, and are replaced when any of them dies or the oldest request takes too long. What was in the pipe
 * then is tried once more, one request at a time: so a text that kills the pipe fails alone.
 */
export class ApertiumPipe implements AsyncDisposable {
  readonly #options: ApertiumPipeOptions;
  readonly #waiting: PipeRequest[] = [];
  readonly #ending = new Set<Promise<void>>();
  #waitingCharacters = 0;
  #running: Running | null = null;
  #idle: NodeJS.Timeout | undefined;
  #sequence = 0;
  #disposed = false;

  constructor(options: ApertiumPipeOptions) {
    this.#options = options;
  }

  /** The process group of the programs; undefined while none run. */
  get processGroup(): number | undefined {
    return this.#running?.processes.group;
  }

  get isIdle(): boolean {
    return this.#waiting.length === 0 && (this.#running?.inFlight.length ?? 0) === 0;
  }

  /**
   * Sends a text in stream format through the pipe and answers what came out. Rejects with the signal's reason at once
   * when it aborts, BUSY when too much is waiting, FAILED when the pipe died or was too slow twice on this text.
   */
  async run(stream: string, signal?: AbortSignal): Promise<string> {
    signal?.throwIfAborted();
    if (this.#disposed) throw shuttingDown();
    if (this.#waitingCharacters + stream.length > MAX_WAITING_CHARACTERS) {
      throw new TranslatorError('BUSY', 'The translation engine has too much waiting; try again in a few seconds.');
    }
    let leave = (): void => undefined;
    try {
      return await new Promise<string>((resolve, reject) => {
        const request: PipeRequest = { stream, token: '', attempts: 0, settled: false, resolve, reject };
        leave = () => settle(request, () => reject(signal?.reason as Error));
        signal?.addEventListener('abort', leave, { once: true });
        this.#waiting.push(request);
        this.#waitingCharacters += stream.length;
        this.#pump();
      });
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  /** Ends the processes; the next request starts new ones. What is in the pipe is tried again there. */
  async stop(): Promise<void> {
    if (this.#running) this.#replace(this.#running, 'it was stopped');
    await Promise.all(this.#ending);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    for (const request of [...(this.#running?.inFlight ?? []), ...this.#waiting.splice(0)]) {
      settle(request, () => request.reject(shuttingDown()));
    }
    await this.stop();
  }

  /** Writes as many waiting requests as the window allows. A request on its second attempt travels alone. */
  #pump(): void {
    for (let next = this.#waiting[0]; next; next = this.#waiting[0]) {
      if (!next.settled) {
        const running = (this.#running ??= this.#start());
        if (mustWait(next, running)) return;
        this.#write(running, next);
      }
      this.#waiting.shift();
      this.#waitingCharacters -= next.stream.length;
    }
  }

  #start(): Running {
    const processes = startProcesses(this.#options.stages, {
      onAnswer: (answer) => this.#receive(running, answer),
      onFailure: (reason) => this.#replace(running, reason),
    });
    const running: Running = { processes, inFlight: [], inFlightCharacters: 0 };
    return running;
  }

  #write(running: Running, request: PipeRequest): void {
    clearTimeout(this.#idle);
    request.attempts += 1;
    request.token = `[${++this.#sequence}]`;
    running.inFlight.push(request);
    running.inFlightCharacters += request.stream.length;
    if (running.inFlight.length === 1) this.#watchOldest(running);
    running.processes.write(request.stream + request.token);
  }

  #receive(running: Running, answer: string): void {
    if (running !== this.#running) return;
    const request = running.inFlight[0];
    if (!request || !answer.endsWith(request.token)) return this.#replace(running, 'its answers are out of step');
    running.inFlight.shift();
    running.inFlightCharacters -= request.stream.length;
    settle(request, () => request.resolve(answer.slice(0, -request.token.length)));
    this.#watchOldest(running);
    this.#pump();
    if (this.isIdle) this.#idle = setTimeout(() => void this.stop(), this.#options.idleMs).unref();
  }

  /** The clock runs for the oldest request only: those behind it wait for their turn, not for the engine. */
  #watchOldest(running: Running): void {
    clearTimeout(running.deadline);
    const oldest = running.inFlight[0];
    if (!oldest) return;
    const limitMs = this.#options.deadlineMs + oldest.stream.length;
    running.deadline = setTimeout(() => this.#replace(running, `it took over ${limitMs} ms`), limitMs);
  }

  /** Takes these processes out of use and ends them; what they held is tried again in new ones, or given up. */
  #replace(running: Running, reason: string): void {
    if (running !== this.#running) return;
    this.#running = null;
    clearTimeout(running.deadline);
    clearTimeout(this.#idle);
    const held = running.inFlight.splice(0);
    const ending = running.processes.end().finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);

    const again = held.filter((request) => !request.settled && request.attempts < 2);
    const failed = held.filter((request) => request.attempts >= 2);
    // What the programs complained of is complete only when they have gone.
    void ending.then(() => failed.forEach((request) => giveUp(request, running, reason)));
    this.#waiting.unshift(...again);
    this.#waitingCharacters += again.reduce((sum, { stream }) => sum + stream.length, 0);
    this.#pump();
  }
}

function mustWait(next: PipeRequest, { inFlight, inFlightCharacters }: Running): boolean {
  if (inFlight.length === 0) return false;
  const eitherIsRepeated = next.attempts > 0 || inFlight[0]!.attempts > 1;
  return eitherIsRepeated || inFlightCharacters + next.stream.length > WINDOW_CHARACTERS;
}

function giveUp(request: PipeRequest, { processes }: Running, reason: string): void {
  const message = `The translation engine failed twice on this text: ${reason}.`;
  settle(request, () => {
    request.reject(new TranslatorError('FAILED', message, { cause: new Error(processes.complaint() || reason) }));
  });
}

function settle(request: PipeRequest, how: () => void): void {
  if (request.settled) return;
  request.settled = true;
  how();
}

function shuttingDown(): TranslatorError {
  return new TranslatorError('FAILED', 'The translation engine is shutting down.');
}
