import type { AccessNews } from '../../platform/identity/access-change';
import { orAborted } from '../../platform/or-aborted';
import { pause } from '../../platform/pause';
import type { AccessChanges } from '../options';

/** Waits between two attempts: at first, and at most. */
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 2_000;

export interface FollowOptions {
  hear: (news: AccessNews) => void;
  /** Called whenever an attempt has ended. */
  lost: (error: unknown) => void;
  /** A source of which nothing is heard for so long is given up, and asked anew. */
  silenceMs: number;
  signal: AbortSignal;
}

/** Hears the news until the signal aborts, from the beginning again whenever their source ends, fails or is silent. Never rejects. */
export async function followNews(accessChanges: AccessChanges, options: FollowOptions): Promise<void> {
  const { signal, lost } = options;
  let waitMs = FIRST_WAIT_MS;
  const hear = (news: AccessNews): void => {
    waitMs = FIRST_WAIT_MS;
    options.hear(news);
  };
  while (!signal.aborted) {
    try {
      await hearUntilLost(accessChanges, { ...options, hear });
    } catch (error) {
      if (signal.aborted) return;
      lost(error);
    }
    // By chance, so that not all gateways come back at once.
    await pause(waitMs * (0.5 + Math.random() / 2), signal);
    waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
  }
}

/** Rejects when nothing more is to be heard. */
async function hearUntilLost(
  accessChanges: AccessChanges,
  { hear, silenceMs, signal }: Omit<FollowOptions, 'lost'>,
): Promise<never> {
  const attempt = new AbortController();
  const abort = (): void => attempt.abort(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  const silence = setTimeout(() => attempt.abort(new Error(`Nothing was heard for ${silenceMs} ms.`)), silenceMs);
  silence.unref();
  try {
    const news = accessChanges(attempt.signal)[Symbol.asyncIterator]();
    for (;;) {
      // A source that does not care for its signal is left all the same.
      const next = await orAborted(news.next(), attempt.signal);
      if (next.done) throw new Error('The source of access changes has ended.');
      silence.refresh();
      hear(next.value);
    }
  } finally {
    clearTimeout(silence);
    signal.removeEventListener('abort', abort);
    attempt.abort();
  }
}
