import type { Random } from '../../gateway/differential/random';
import { pause } from '../../platform/pause';
import type { Account } from './account';
import { eventOf, type Followed, type Resume, type SeenEvent } from './followed';
import { StreamClosed, StreamRefused, type StreamFrame, type StreamTransport } from './transports/transport';

/** A client waits this long before it comes back, with as much again by chance. */
const BACKOFF_MS = 100;

export interface ReaderOptions {
  account: Account;
  followed: Followed;
  transport: StreamTransport;
  /** Gateways: the first one at first, and the next one with each new connection. */
  endpoints: readonly string[];
  resume: Resume;
  crossing: boolean;
  random: Random;
}

/** A client that follows one stream and comes back with its last cursor whenever the stream breaks. */
export class Reader {
  /** The cursor of each event, as they came. */
  readonly cursors: string[] = [];
  /** Where the segment of each event begins; undefined for events of other kinds. */
  readonly startsMs: (number | undefined)[] = [];
  gaps = 0;
  /** Events whose fields of another subgraph were null. */
  nulled = 0;
  connections = 0;
  /** Streams that completed before their end without a word. */
  silentEnds = 0;
  /** What went wrong, by how often. */
  readonly troubles = new Map<string, number>();
  /** Where it connected and what happened, with the number of events it had then. For the report of a flaw. */
  readonly history: string[] = [];
  private lastCursor: string | undefined;
  private isFinished = false;
  /** Whether the last frame told of an error in place of an event. */
  private isTold = false;

  constructor(readonly options: ReaderOptions) {
    this.lastCursor = options.followed.start;
  }

  /**
   * Reads until the stream is over or the signal aborts; called again, it goes on where it was. Never rejects: what goes
   * wrong is noted and tried again.
   */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.connect(signal);
        if (this.isFinished) return;
        if (!this.isTold) this.silentEnds++;
      } catch (error) {
        if (!signal.aborted) this.note(describe(error));
      }
      await pause(BACKOFF_MS + this.options.random.below(BACKOFF_MS), signal);
    }
  }

  private async connect(signal: AbortSignal): Promise<void> {
    const { account, endpoints, transport, followed, resume, crossing } = this.options;
    const endpoint = endpoints[this.connections % endpoints.length]!;
    this.connections++;
    this.history.push(`${this.cursors.length}: to ${new URL(endpoint).host}`);
    this.isTold = false;
    const cursor = this.lastCursor;
    const request = {
      endpoint,
      token: await account.token(),
      query: followed.query(resume, crossing),
      variables: resume === 'after' ? { ...followed.variables, after: cursor } : followed.variables,
      cursor: resume === 'extensions' ? cursor : undefined,
    };
    for await (const frame of transport(request, signal)) this.take(frame);
  }

  private take(frame: StreamFrame): void {
    const event = eventOf(this.options.followed, frame, this.options.resume);
    this.isTold = event === null;
    for (const { extensions, message } of frame.errors ?? []) {
      // What nulls the crossing field is counted there.
      if (event === null) this.note(extensions?.code ?? message);
    }
    if (event) this.count(event, frame);
  }

  private count(event: SeenEvent, frame: StreamFrame): void {
    if (event.cursor === undefined) return this.note('an event without a cursor');
    this.lastCursor = event.cursor;
    if (event.isNulled) this.nulled++;
    if (event.isGap) return void this.gaps++;
    this.cursors.push(event.cursor);
    this.startsMs.push(event.startMs);
    const { __typename } = frame.data![this.options.followed.field] as { __typename: string };
    this.isFinished = __typename === 'TranscriptFinished';
  }

  private note(trouble: string): void {
    this.troubles.set(trouble, (this.troubles.get(trouble) ?? 0) + 1);
    this.history.push(`${this.cursors.length}: ${trouble}`);
  }
}

function describe(error: unknown): string {
  if (error instanceof StreamClosed && error.code !== null) return `closed with ${error.code}`;
  const { code, message } = error as { code?: string; message: string };
  const told = /"code":"(\w+)"/.exec(message)?.[1];
  return `${error instanceof StreamRefused ? 'refused with ' : ''}${told ?? code ?? message}`.slice(0, 200);
}
