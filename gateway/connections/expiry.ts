import type { Entry } from './entry';

/** How long before its end the client of a token hears of it, in milliseconds: time to get another one. */
export const EXPIRY_NOTICE_MS = 60_000;
/** The longest time a Node timer can wait; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** Tokens that end closer together than this are looked at together. */
const STEP_MS = 20;

/** One timer for all tokens: it waits for the first thing to do and then looks at every connection. */
export interface ExpiryWatch {
  /** A connection has come, or its token has changed. */
  watch(entry: Entry): void;
  stop(): void;
}

export function watchExpiry(entries: ReadonlyMap<string, Entry>, end: (entry: Entry) => void): ExpiryWatch {
  let timer: NodeJS.Timeout | undefined;
  let firesAt = Infinity;

  const arm = (dueAt: number): void => {
    if (dueAt >= firesAt) return;
    firesAt = dueAt;
    clearTimeout(timer);
    timer = setTimeout(sweep, Math.min(Math.max(dueAt - Date.now(), STEP_MS), MAX_TIMER_MS)).unref();
  };
  const sweep = (): void => {
    firesAt = Infinity;
    const now = Date.now();
    const due = [...entries.values()].filter((entry) => dueAt(entry) <= now);
    for (const entry of due) {
      if (entry.token!.endsAt.getTime() <= now) end(entry);
      else notice(entry);
    }
    let next = Infinity;
    for (const entry of entries.values()) next = Math.min(next, dueAt(entry));
    arm(next);
  };
  return {
    watch: (entry) => arm(dueAt(entry)),
    stop: () => clearTimeout(timer),
  };
}

function notice(entry: Entry): void {
  entry.isNoticed = true;
  entry.connection.onExpiring?.(entry.token!.endsAt);
}

/** When something is to be done about a connection. */
function dueAt({ token, isNoticed }: Entry): number {
  if (!token) return Infinity;
  return token.endsAt.getTime() - (isNoticed ? 0 : EXPIRY_NOTICE_MS);
}
