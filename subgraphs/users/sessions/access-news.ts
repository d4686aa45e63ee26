import { NEWS_BEAT_MS, NEWS_HISTORY_MS, type AccessNews } from '../../../platform/identity/access-change';
import type { EventLog, LogItem } from '../../../platform/events/event-log';
import { Flag } from '../../../platform/events/flag';
import { accessTopic, type AccessChange } from '../events';

const CURRENT: AccessNews = { kind: 'current' };

/**
 * Whose access tokens have become void: the changes of the last eleven minutes, then each as it is committed, until the signal
 * aborts. When there are none it looks every `beatMs` whether it has told all that the database knows, and says so with
 * `current`; at the beginning as soon as it has. Rejects when the database does not answer: who hears nothing must know.
 */
export async function* accessNews(
  events: Pick<EventLog, 'positionAgo' | 'head' | 'read'>,
  signal: AbortSignal,
  beatMs = NEWS_BEAT_MS,
): AsyncGenerator<AccessNews, void, void> {
  let told = await events.positionAgo(accessTopic, NEWS_HISTORY_MS);
  const first = await events.head(accessTopic);
  await using reader = readAhead(events, told, signal);
  if (told >= first) yield CURRENT;
  while (!signal.aborted) {
    if (await reader.raised(beatMs)) {
      for (const item of reader.take()) {
        const isCatchingUp = told < first;
        told = item.seq;
        if (item.type === 'event') yield newsOf(item);
        if (isCatchingUp && told >= first) yield CURRENT;
      }
    } else if (told >= (await events.head(accessTopic))) yield CURRENT;
  }
}

/**
 * A change of rights holds from when it was written down, which is the last statement of its transaction: until then a refresh
 * may have read the rights before.
 */
function newsOf({ at, payload }: LogItem<AccessChange> & { type: 'event' }): AccessNews {
  if (payload.kind === 'ended') return { ...payload, at: at.toISOString() };
  return { ...payload, at: new Date(Math.max(at.getTime(), Date.parse(payload.at))).toISOString() };
}

/** Reads the topic in the background, so that whoever waits for it can look at the clock as well. */
function readAhead(events: Pick<EventLog, 'read'>, after: number, signal: AbortSignal) {
  const items: LogItem<AccessChange>[] = [];
  const flag = new Flag();
  const left = new AbortController();
  const leave = (): void => left.abort();
  signal.addEventListener('abort', leave);
  const reading = (async () => {
    for await (const item of events.read(accessTopic, { after, signal: left.signal })) {
      items.push(item);
      flag.raise();
    }
  })().catch(() => {}); // the reader meets the same failure when it asks for the head
  return {
    raised: (limitMs: number) => flag.raised(signal, limitMs),
    take() {
      flag.lower();
      return items.splice(0);
    },
    async [Symbol.asyncDispose]() {
      leave();
      signal.removeEventListener('abort', leave);
      await reading;
    },
  };
}
