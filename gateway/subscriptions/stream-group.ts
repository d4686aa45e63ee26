import type { StreamPosition } from '../compile/start-arguments';
import { isGatewayCursor } from './gateway-cursor';
import { Stream, type StreamOrigin, type StreamServices } from './stream';

/** Events before the subscriber's place that cannot be delivered any more. */
export interface Gap {
  reason: 'CURSOR_EXPIRED' | 'CONSUMER_TOO_SLOW' | 'RESTARTED';
  /** Null: nobody knows how many. */
  missed: number | null;
}

/** Where a subscriber joins. */
export interface Joined {
  stream: Stream;
  /** Index of the first event it gets. */
  index: number;
  gap: Gap | undefined;
}

/**
 * The streams of one subscription of a subgraph: the same operation with the same variables in the same name, wherever it
 * starts. Mostly there is one. Who starts somewhere else gets a stream of its own, until that one has come to an event
 * which another also has: from there on they would tell the same, so it is merged into that other one.
 */
export class StreamGroup {
  private readonly streams: Stream[] = [];

  constructor(
    private readonly origin: StreamOrigin,
    private readonly services: StreamServices,
    /** Told when it gets its first stream, and when it has lost its last. */
    private readonly listener: { used(group: StreamGroup): void; unused(): void },
  ) {}

  /** The stream that has what follows a position, or a new one. */
  join(position: StreamPosition): Joined {
    return this.origin.source.field.cursor === undefined ? this.joinCounted(position) : this.joinByCursor(position);
  }

  /** Whether a cursor can be one of this subscription; only where the gateway made them itself that is known beforehand. */
  accepts(cursor: string): boolean {
    return this.origin.source.field.cursor !== undefined || isGatewayCursor(this.origin.subject, cursor);
  }

  /** The cursor of the place before an event, if there is one. */
  cursorBefore({ window, cursors }: Stream, index: number): string | undefined {
    return this.origin.source.field.cursor === undefined ? cursors.encode(index - 1) : window.cursorBefore(index);
  }

  close(): void {
    for (const stream of [...this.streams]) stream.close();
  }

  private joinByCursor(position: StreamPosition): Joined {
    for (const stream of this.streams) {
      const index = stream.phase === 'open' ? this.indexIn(stream, position) : undefined;
      if (index !== undefined) return { stream, index, gap: undefined };
    }
    return { stream: this.open(position), index: 0, gap: undefined };
  }

  /** The index in a stream from which on it tells what a position asks for; undefined when it does not. */
  private indexIn(stream: Stream, { after, snapshot }: StreamPosition): number | undefined {
    const { window, start } = stream;
    if (after !== undefined) {
      const index = window.indexOf(after);
      if (index !== undefined) return index + 1;
      return start.after === after && window.isComplete ? 0 : undefined;
    }
    if (start.after !== undefined) return undefined;
    const { field } = this.origin.source;
    if (snapshot || field.start === 'snapshot')
      return start.snapshot === snapshot && window.isComplete && stream.hasOnlySnapshot ? 0 : undefined;
    if (start.snapshot) return undefined;
    if (field.start === 'beginning') return window.isComplete ? 0 : undefined;
    return stream.isCurrent ? window.end : undefined;
  }

  private joinCounted({ after }: StreamPosition): Joined {
    const open = this.streams.filter(({ phase }) => phase === 'open');
    for (const stream of after === undefined ? [] : open) {
      const index = stream.cursors.decode(after!);
      const { start, end } = stream.window;
      if (typeof index !== 'number' || index >= end) continue;
      const next = index + 1;
      if (next >= start) return { stream, index: next, gap: undefined };
      return { stream, index: start, gap: { reason: 'CURSOR_EXPIRED', missed: start - next } };
    }
    const stream = open.find(({ isCurrent }) => isCurrent) ?? this.open({ after: undefined, snapshot: false });
    const gap: Gap | undefined = after === undefined ? undefined : { reason: 'RESTARTED', missed: null };
    return { stream, index: stream.window.end, gap };
  }

  private open(position: StreamPosition): Stream {
    const stream = new Stream(this.origin, position, this.services, {
      taken: (stream) => this.merge(stream),
      gone: (gone) => {
        this.streams.splice(this.streams.indexOf(gone), 1);
        if (this.streams.length === 0) this.listener.unused();
      },
    });
    if (this.streams.push(stream) === 1) this.listener.used(this);
    return stream;
  }

  /**
   * After a stream has taken an event: merges it into an older one that has that event, or those younger ones into it
   * that have just told it. Not before a stream has told the present state whole.
   */
  private merge(taken: Stream): void {
    if (this.streams.length < 2) return;
    const at = this.streams.indexOf(taken);
    for (const [other, stream] of [...this.streams].entries()) {
      if (stream === taken) continue;
      const [older, younger] = other < at ? [stream, taken] : [taken, stream];
      const { cursor, isSnapshot } = younger.window.last ?? {};
      if (older.phase !== 'open' || younger.phase !== 'open' || cursor === undefined || isSnapshot) continue;
      if (older.window.indexOf(cursor) !== undefined) younger.mergeAway();
    }
  }
}
