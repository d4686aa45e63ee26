import type { Logger } from '../../../platform/logger';
import { EngineBreaker, type CallEnd } from './breaker';
import {
  EngineUnavailableError,
  TranscriberFailedError,
  type Probe,
  type RecognizedSegment,
  type TranscribeOptions,
  type Transcriber,
} from './transcriber';

export interface GuardOptions {
  logger: Logger;
  /** A clock in milliseconds that never goes back. */
  now?: () => number;
}

/**
 * An engine behind a circuit breaker ({@link EngineBreaker}). While it is held off its probe says so, and calls are refused
 * with EngineUnavailableError without reaching it. A recording that the engine will not take, a source that fails and a
 * caller that leaves count for nothing.
 */
export function guarded(engine: Transcriber, { logger, now }: GuardOptions): Transcriber {
  const { id } = engine.info;
  const breaker = new EngineBreaker((state, pauseMs) => {
    if (state === 'open') logger.warn({ engine: id, pauseMs }, 'a speech engine keeps failing and is left alone');
    else logger.info({ engine: id }, 'a speech engine works again');
  }, now);
  return {
    info: engine.info,
    async probe(): Promise<Probe> {
      const reason = heldOff(breaker) ?? (breaker.isTrying ? 'It failed repeatedly and is being tried again.' : null);
      return reason === null ? engine.probe() : { available: false, reason, retryAfterMs: breaker.heldOffMs };
    },
    transcribe: (pcm, options) => transcribe(engine, breaker, pcm, options),
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
}

function heldOff({ heldOffMs }: EngineBreaker): string | null {
  if (heldOffMs === 0) return null;
  return `It failed repeatedly and is left alone; it is tried again in ${Math.ceil(heldOffMs / 1_000)} s.`;
}

async function* transcribe(
  engine: Transcriber,
  breaker: EngineBreaker,
  pcm: AsyncIterable<Int16Array>,
  options: TranscribeOptions,
): AsyncGenerator<RecognizedSegment, void, undefined> {
  const reason = heldOff(breaker);
  if (reason !== null)
    throw new EngineUnavailableError(`${engine.info.id}: ${reason}`, { retryAfterMs: breaker.heldOffMs });
  const ended = breaker.begin();
  let end: CallEnd = 'abandoned';
  try {
    yield* engine.transcribe(pcm, options);
    end = 'answered';
  } catch (error) {
    if (!options.signal.aborted && isEngineFailure(error)) end = 'failed';
    throw error;
  } finally {
    ended(end);
  }
}

function isEngineFailure(error: unknown): boolean {
  return error instanceof EngineUnavailableError || (error instanceof TranscriberFailedError && error.retryable);
}
