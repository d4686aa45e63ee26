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
  return untilAnswered(service, { attempts: ATTEMPTS, attempt: () => attemptOnce(service, request, signal) }, signal);
}

/**
 * Tries up to so often, with pauses, as long as it may help. Throws the error of the last refusal, what `attempt` throws, or
 * the signal's reason.
 */
export async function untilAnswered<Answer>(
  { wait = pause }: Pick<RemoteService, 'wait'>,
  { attempts, attempt }: { attempts: number; attempt: () => Promise<{ answer: Answer } | Refusal> },
  signal: AbortSignal,
): Promise<Answer> {
  for (let tried = 1; ; tried++) {
    signal.throwIfAborted();
    const outcome = await attempt();
    if ('answer' in outcome) return outcome.answer;
    const delayMs = outcome.retryAfterMs ?? backoffMs(tried);
    if (!outcome.again || tried === attempts || delayMs > LONGEST_RETRY_AFTER_MS) throw outcome.error;
    await wait(delayMs, signal);
  }
}

async function attemptOnce(
  service: RemoteService,
  request: RemoteRequest,
  signal: AbortSignal,
): Promise<{ answer: unknown } | Refusal> {
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
    return unreachable(service, error, { wasSilent: silence.signal.aborted });
  }
}

function bodyOf({ form, stream }: RemoteRequest, silence: SilenceTimer): Dispatcher.DispatchOptions['body'] {
  if (form) return form();
  // undici takes any async iterable as a body; its types say readable streams only.
  return stream ? (silence.restartedBy(stream()) as unknown as Readable) : null;
}

/** What it means that a connection could not be made or has broken. */
export function unreachable(
  { name, timeoutMs }: Pick<RemoteService, 'name' | 'timeoutMs'>,
  error: unknown,
  { wasSilent }: { wasSilent: boolean },
): Refusal {
  const { code } = error as { code?: unknown };
  const what = wasSilent
    ? `${name} did not answer within ${timeoutMs / 1_000} s.`
    : `${name} could not be reached, or broke off (${typeof code === 'string' ? code : 'no reason given'}).`;
  return { again: true, retryAfterMs: null, error: new TranscriberFailedError(what, { wasRetried: true }) };
}

function backoffMs(attempt: number): number {
  return Math.random() * Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (attempt - 1));
}
