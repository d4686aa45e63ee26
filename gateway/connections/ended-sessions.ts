import type { Logger } from '../../platform/logger';
import type { EndedSessions } from '../options';
import type { Entry } from './entry';

/** Between two questions, in milliseconds: a session that ended is to be noticed within 5 s. */
export const POLL_MS = 2_000;
/** A question without an answer has failed after this time, and is asked again. */
const ANSWER_MS = 5_000;
/** Sessions in one question. */
const BATCH_SIZE = 1_000;

/** Asks the host for sessions that have ended, for as long as there are connections of viewers. */
export interface SessionWatch {
  watch(): void;
  pause(): void;
  /** Resolves when nothing is asked any more. */
  stop(): Promise<void>;
}

export function watchEndedSessions(
  entries: ReadonlyMap<string, Entry>,
  endedSessions: EndedSessions | undefined,
  logger: Logger,
  end: (entry: Entry) => void,
): SessionWatch {
  if (!endedSessions) return { watch() {}, pause() {}, async stop() {} };
  let timer: NodeJS.Timeout | undefined;
  let polling: Promise<void> | undefined;
  let isFailing = false;

  const poll = async (): Promise<void> => {
    try {
      for (const batch of batches(sessionsOf(entries))) {
        const ended = new Set(await answerOf(endedSessions(batch)));
        for (const entry of [...entries.values()])
          if (entry.token && ended.has(entry.token.viewer.sessionId)) end(entry);
      }
      if (isFailing) logger.info({}, 'ended sessions are known again');
      isFailing = false;
    } catch (error) {
      if (!isFailing) logger.error({ error }, 'ended sessions cannot be asked for; their connections stay open');
      isFailing = true;
    }
  };
  const pause = (): void => {
    clearInterval(timer);
    timer = undefined;
  };
  return {
    watch() {
      timer ??= setInterval(() => {
        polling ??= poll().finally(() => (polling = undefined));
      }, POLL_MS).unref();
    },
    pause,
    async stop() {
      pause();
      await polling;
    },
  };
}

function sessionsOf(entries: ReadonlyMap<string, Entry>): string[] {
  const sessions = new Set<string>();
  for (const { token } of entries.values()) if (token) sessions.add(token.viewer.sessionId);
  return [...sessions];
}

function batches(sessions: string[]): string[][] {
  return Array.from({ length: Math.ceil(sessions.length / BATCH_SIZE) }, (_, index) =>
    sessions.slice(index * BATCH_SIZE, (index + 1) * BATCH_SIZE),
  );
}

/** A question that is never answered must not be the last one. */
async function answerOf<Value>(asked: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`There was no answer within ${ANSWER_MS} ms.`)), ANSWER_MS).unref();
  });
  try {
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
  }
}
