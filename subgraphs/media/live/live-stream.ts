import { SautiError } from '../../../platform/errors';
import type { EventLog } from '../../../platform/events/event-log';
import { openStream, type StreamGap, type StreamItem, type StreamSource } from '../../../platform/events/stream';
import { isId } from '../../../platform/ids';
import type { Viewer } from '../../../platform/identity/viewer';
import { transcriptTopic, type TranscriptEvent } from '../events';
import type { MediaRecords, MediaTransaction, SegmentRow } from '../records';
import { isFinalLiveState, sessionAt, type LiveSessionRow } from './live-session';
import type { LiveSessionRecords } from './session-records';

/** How calm the text is: every guess, or only what is final. */
export type Stability = 'WORDS' | 'SENTENCES';

type Content =
  | { type: 'segment.changed'; segment: SegmentRow }
  | Extract<TranscriptEvent, { type: 'speech.boundary' }>
  | { type: 'session.changed'; session: LiveSessionRow };

/** One event as the subscription shows it. */
export type LiveStreamEvent = StreamItem<Content> | StreamGap;

export interface LiveStreamWishes {
  sessionId: string;
  after?: string | null | undefined;
  snapshot?: boolean | null | undefined;
  stability?: Stability | null | undefined;
}

interface Services {
  records: MediaRecords;
  liveRecords: LiveSessionRecords;
  events: EventLog;
}

/**
 * The events of the viewer's live session from the beginning, or with `snapshot` what it is now and every later event, until
 * it has ended or the signal aborts; see {@link openStream} for cursors and gaps. They are those of its transcript, so cursors
 * are good for both. Throws NOT_FOUND for a session that is unknown or not, or no longer, the viewer's, and BAD_USER_INPUT (no
 * cursor of this stream).
 */
export async function* openLiveStream(
  services: Services,
  viewer: Viewer,
  { sessionId, after, snapshot, stability }: LiveStreamWishes,
  signal: AbortSignal,
): AsyncGenerator<LiveStreamEvent, void, void> {
  const read = sessionReader(services.liveRecords, viewer, sessionId);
  const session = await read();
  const isCalm = stability === 'SENTENCES';
  const source = sourceOf(services, session, read, (segment) => !isCalm || segment.state !== 'PARTIAL');
  yield* openStream(services.events, transcriptTopic(session.transcriptId), source, {
    after,
    start: snapshot ? 'present' : 0,
    signal,
  });
}

type ReadSession = (tx?: MediaTransaction) => Promise<LiveSessionRow>;

function sessionReader(liveRecords: LiveSessionRecords, viewer: Viewer, sessionId: string): ReadSession {
  return async (tx) => {
    const ids = isId('liv', sessionId) ? [sessionId] : [];
    const [session] = await liveRecords.byIds(ids, viewer.userId, tx);
    if (!session) throw new SautiError('NOT_FOUND', 'You have no live session with this ID.');
    return session;
  };
}

function sourceOf(
  { records, liveRecords, events }: Services,
  first: LiveSessionRow,
  read: ReadSession,
  isShown: (segment: SegmentRow) => boolean,
): StreamSource<TranscriptEvent, Content> {
  const topic = transcriptTopic(first.transcriptId);
  /** Behind this event nothing is told; null while the session goes on. */
  let last: number | null = null;
  const lookAt = async (tx?: MediaTransaction): Promise<{ session: LiveSessionRow; head: number }> => {
    // Read behind the state, the head of a session that has ended has its end before it; corrections may follow that.
    const session = await read(tx);
    const head = await events.head(topic, tx);
    last = isFinalLiveState(session.state) ? head : null;
    return { session, head };
  };
  return {
    async present(isTold) {
      if (!isTold) return { head: (await lookAt()).head, items: [] };
      return liveRecords.momentOf(async (tx) => {
        const { session, head } = await lookAt(tx);
        const segments = await records.segments(session.transcriptId, {}, tx);
        const told = segments.filter(isShown).map((segment): Content => ({ type: 'segment.changed', segment }));
        return { head, items: [{ type: 'session.changed', session }, ...told] };
      });
    },
    async contentOf(event) {
      switch (event.type) {
        case 'segment.changed':
          return isShown(event.segment) ? event : null;
        case 'speech.boundary':
          return event;
        case 'session.changed':
          if (isFinalLiveState(event.session.state)) await lookAt();
          return { ...event, session: sessionAt(first, event.session) };
        case 'transcript.finished':
          return null; // the session tells its end itself
      }
    },
    isOver: (position) => last !== null && position >= last,
    check: async () => void (await read()),
  };
}
