import { SautiError } from '../../platform/errors';
import { NEWS_BEAT_MS, type AccessNews } from '../../platform/identity/access-change';
import type { VerifiedToken } from '../../platform/identity/access-token';
import type { Logger } from '../../platform/logger';
import type { AccessChanges, Authenticate } from '../options';
import { followNews } from './follow-news';
import { VoidTokens } from './void-tokens';

/** How long a caller waits for the first news after a start. */
const FIRST_NEWS_MS = 3_000;

/** Knows whose tokens are void. */
export interface AccessWatch extends AsyncDisposable {
  isVoid(token: VerifiedToken): boolean;
  /** Resolves when the news up to now have been heard, at once but for a start; SUBGRAPH_UNAVAILABLE after 3 s without. */
  untilKnown(): Promise<void>;
  /** Tells the listener of each change, after `isVoid` answers by it. */
  onChange(listener: (news: AccessNews) => void): void;
  /** Whether the source is there. */
  readonly isCurrent: boolean;
}

export interface AccessWatchOptions {
  /** Without it no token is void. */
  accessChanges: AccessChanges | undefined;
  logger: Logger;
  clock?: (() => Date) | undefined;
  /** How long the source may be silent before it counts as lost. Default: three beats. */
  silenceMs?: number | undefined;
}

/**
 * Follows the access changes from now until disposal. Until they were heard for the first time nobody with a token gets in:
 * a process that starts knows nothing of what was ended before. When their source is away later, what was heard holds,
 * and tokens are good until they end, which is within eleven minutes (docs/decisions/0025).
 */
export function watchAccess({
  accessChanges,
  logger,
  clock = () => new Date(),
  silenceMs = 3 * NEWS_BEAT_MS,
}: AccessWatchOptions): AccessWatch {
  const tokens = new VoidTokens({ clock });
  const listeners: ((news: AccessNews) => void)[] = [];
  const stopping = new AbortController();
  let haveFirst = (): void => {};
  const first = new Promise<void>((resolve) => (haveFirst = resolve));
  let isKnown = accessChanges === undefined;
  let isCurrent = isKnown;

  const hear = (news: AccessNews): void => {
    tokens.hear(news);
    for (const listener of listeners) listener(news);
    if (news.kind !== 'current') return;
    if (!isCurrent && isKnown) logger.info({}, 'access changes are heard again');
    isCurrent = isKnown = true;
    haveFirst();
  };
  const lost = (error: unknown): void => {
    if (isCurrent || !isKnown) logger.error({ error }, 'access changes are not heard; tokens are good until they end');
    isCurrent = false;
  };
  const following = accessChanges && followNews(accessChanges, { hear, lost, silenceMs, signal: stopping.signal });
  return {
    isVoid: (token) => tokens.has(token),
    untilKnown: async () => {
      if (!isKnown) await within(first, FIRST_NEWS_MS);
    },
    onChange: (listener) => void listeners.push(listener),
    get isCurrent() {
      return isCurrent;
    },
    async [Symbol.asyncDispose]() {
      stopping.abort(new Error('The gateway stops.'));
      await following;
    },
  };
}

/** Refuses void tokens with UNAUTHENTICATED, as if they were expired: their client has to renew them or to sign in. */
export function refusingVoid(authenticate: Authenticate, access: AccessWatch): Authenticate {
  return async (authorization) => {
    const token = await authenticate(authorization);
    if (!token) return null;
    await access.untilKnown();
    if (access.isVoid(token)) throw voidToken();
    return token;
  };
}

export function voidToken(): SautiError {
  return new SautiError(
    'UNAUTHENTICATED',
    'The session of this access token has ended, or its rights have changed. Get a new one with refreshSession, or sign in.',
  );
}

async function within(known: Promise<void>, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new SautiError(
      'SUBGRAPH_UNAVAILABLE',
      'Access tokens cannot be checked at the moment. Try again in a few seconds.',
    );
    timer = setTimeout(() => reject(error), limitMs).unref();
  });
  try {
    await Promise.race([known, late]);
  } finally {
    clearTimeout(timer);
  }
}
