import type { Readable } from 'node:stream';
import { request as send, type Dispatcher, type FormData } from 'undici';
import { pause } from '../../../../platform/pause';
import { TranscriberFailedError } from '../transcriber';
import { readAnswer, type Refusal } from './remote-answer';
import { SilenceTimer } from './silence-timer';

/** A speech service on the network. */
export interface RemoteService {
  /** What people call it. */
  name: string;
  /** Environment variables that an operator may have to correct. */
  variables: { url: string; key: string; model: string };
  /** Longest silence of one attempt, in milliseconds: from the last piece of the body that it took to the whole answer. */
  timeoutMs: number;
  dispatcher: Dispatcher;
  /** Waits between attempts; returns early when the signal aborts. */
  wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface RemoteRequest {
  method: 'GET' | 'POST';
  url: URL;
  headers: Record<string, string>;
  /** Makes the body anew for each attempt: a form, or bytes of any length. */
  form?: () => FormData;
  stream?: () => AsyncIterable<Uint8Array>;
  /** What the source of the body threw, if it did: that is no failure of the service. */
  sourceFailure?: () => { error: unknown } | undefined;
}

const ATTEMPTS = 3;
/** Pauses are random below a bound that doubles ("full jitter": AWS Architecture Blog, Exponential Backoff And Jitter). */
const FIRST_BACKOFF_MS = 500;
const LONGEST_BACKOFF_MS = 10_000;
/** A service that wants more time than this is left to another engine, or to a later attempt of the job. */
const LONGEST_RETRY_AFTER_MS = 60_000;

/**
 * Calls a service and resolves with the JSON of its answer. Tries three times when it cannot be reached, stays silent,
 * or answers 408, 425, 429 or 5xx, and waits as long as `Retry-After` says. Throws EngineUnavailableError when it refuses us
 * (key, credit, address), TranscriberFailedError for everything else, or the signal's reason. Neither key nor address are
 * in any message, and no cause that would have them is attached.
 */
export async function callRemote(
  service: RemoteService,
  request: RemoteRequest,
  signal: AbortSignal,
): Promise<unknown> {
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    const outcome = await attemptOnce(service, request, signal);
    if ('json' in outcome) return outcome.json;
    const delayMs = outcome.retryAfterMs ?? backoffMs(attempt);
    if (!outcome.again || attempt === ATTEMPTS || delayMs > LONGEST_RETRY_AFTER_MS) throw outcome.error;
    await (service.wait ?? pause)(delayMs, signal);
  }
}

async function attemptOnce(
  service: RemoteService,
  request: RemoteRequest,
  signal: AbortSignal,
): Promise<{ json: unknown } | Refusal> {
  using silence = new SilenceTimer(service.timeoutMs);
  try {
    const response = await send(request.url, {
      method: request.method,
      headers: { accept: 'application/json', 'user-agent': 'sauti', ...request.headers },
      body: bodyOf(request, silence),
      dispatcher: service.dispatcher,
      signal: AbortSignal.any([signal, silence.signal]),
      // Both count from moments we do not know; the silence timer does it.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    return await readAnswer(service, response);
  } catch (error) {
    signal.throwIfAborted();
    const source = request.sourceFailure?.();
    if (source) throw source.error;
    if (error instanceof TranscriberFailedError) throw error; // an answer, and one that makes no sense
    return unreachable(service, error, silence.signal.aborted);
  }
}

function bodyOf({ form, stream }: RemoteRequest, silence: SilenceTimer): Dispatcher.DispatchOptions['body'] {
  if (form) return form();
  // undici takes any async iterable as a body; its types say readable streams only.
  return stream ? (silence.restartedBy(stream()) as unknown as Readable) : null;
}

function unreachable({ name, timeoutMs }: RemoteService, error: unknown, wasSilent: boolean): Refusal {
  const { code } = error as { code?: unknown };
  const what = wasSilent
    ? `${name} did not answer within ${timeoutMs / 1_000} s.`
    : `${name} could not be reached, or broke off (${typeof code === 'string' ? code : 'no reason given'}).`;
  return { again: true, retryAfterMs: null, error: new TranscriberFailedError(what, { wasRetried: true }) };
}

function backoffMs(attempt: number): number {
  return Math.random() * Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (attempt - 1));
}
