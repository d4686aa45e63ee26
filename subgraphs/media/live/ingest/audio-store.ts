import { UserProblemError } from '../../../../platform/errors';
import type { EventLog } from '../../../../platform/events/event-log';
import type { MediaProblemCode } from '../../errors';
import type { MediaDatabase, MediaTransaction } from '../../records';
import { isFinalLiveState, type LiveSessionRow } from '../live-session';
import { DEFAULT_SESSIONS_PER_ACCOUNT } from '../live-settings';
import { takePlace } from '../places';
import { checkChunk, formatOf, type AudioFormat } from './audio-format';
import {
  announceSession,
  becomeWriter,
  completeAudio,
  forgetWriter,
  insertAudio,
  insertFlush,
  lockSession,
  lookAtSession,
  reachedOf,
  type AudioRow,
  type Reached,
} from './audio-records';
import { containerName } from './container-name';
import { SequenceGap, sessionOver, unknownSession, WriterReplaced } from './problems';

export interface Chunk {
  /** From 1, without holes. */
  sequence: number;
  bytes: Uint8Array;
}

/** Who sends audio. One that has connected brings the session's format along, so that its chunks are stored in one statement. */
export interface Writer {
  sessionId: string;
  /** From {@link AudioStore.connect}; 0 for single calls, which are allowed only while no writer is connected. */
  number: number;
  format?: AudioFormat;
}

/** The writer of a connection. */
export type ConnectedWriter = Writer & { format: AudioFormat };

/** How far the session has got behind a call. ENDING: it takes no more, also when it was its size that ended it. */
export type Stored = Reached;

export interface AudioLimits {
  /** Longest session, in milliseconds of PCM; longer ones are ended. Default 4 h. */
  maxDurationMs?: number | undefined;
  /** A paused session stays so while its account has as many with a place. Default 5. */
  sessionsPerAccount?: number | undefined;
}

/** How soon a session may be tried to be resumed whose account has enough others; nobody knows when one of these ends. */
const RESUME_RETRY_MS = 10_000;
/** How soon a single call may come again when too much audio waits to be heard and its speed is unknown. */
const RETRY_MS = 1_000;

/**
 * The audio of live sessions: what has been stored is never lost, never doubled, and in order. Every call throws NOT_FOUND
 * for an unknown session and {@link WriterReplaced} for a writer that is no longer the present one; calls of number 0 are
 * for whoever has checked that the session is the viewer's.
 */
export class AudioStore {
  constructor(
    private readonly database: MediaDatabase,
    private readonly events: EventLog,
    private readonly limits: AudioLimits = {},
  ) {}

  /**
   * Makes the holder of a token the session's writer: whatever an earlier one still sends is refused. Null when the token
   * was used before, is older than a used one, or the session is unknown.
   */
  connect(
    sessionId: string,
    tokenNumber: string,
  ): Promise<{ writer: ConnectedWriter; session: LiveSessionRow } | null> {
    return this.database.transaction(async (tx) => {
      const number = await becomeWriter(tx, sessionId, tokenNumber);
      if (number === null) return null;
      const session = await tx.liveSession.findUniqueOrThrow({ where: { id: sessionId } });
      return { writer: { sessionId, number, format: this.formatOf(session) }, session };
    });
  }

  /**
   * Stores chunks in one row, all or none. Those stored before are skipped. The first audio begins the session, audio of a
   * paused one resumes it; what no longer fits ends it. Throws {@link SequenceGap}, INVALID_STATE for a session that has
   * ended, INVALID_INPUT for a chunk it does not take, ENGINE_BUSY (with `retryAfterMs`) when it may not resume yet and,
   * to number 0, while more waits to be heard than may.
   */
  async append(writer: Writer, chunks: readonly Chunk[]): Promise<Stored> {
    return (await this.appendAtOnce(writer, chunks)) ?? (await this.appendLocked(writer, chunks));
  }

  /** Makes everything stored so far final, without a pause. Nothing to do in a session in which nothing is being said. */
  flush(writer: Writer): Promise<Stored> {
    return this.locked(writer, async (tx, session) => {
      if (session.isComplete || isFinalLiveState(session.state)) throw sessionOver();
      if (session.state === 'LIVE') await insertFlush(tx, session.id);
      return reachedOf(session);
    });
  }

  /** No more audio comes. Nothing to do when that has been said before; INVALID_STATE for a session that has FAILED. */
  end(writer: Writer): Promise<Stored> {
    return this.locked(writer, async (tx, session) => {
      if (session.isComplete) return reachedOf(session);
      if (isFinalLiveState(session.state)) throw sessionOver();
      return this.complete(tx, session.id, reachedOf(session));
    });
  }

  /** The writer is still there, though it sends nothing: to be called every few seconds. Throws INVALID_STATE at the end. */
  seen(writer: Writer): Promise<Stored> {
    return this.look(writer, true);
  }

  /** How far the session has got. Throws like {@link seen}. */
  reached(writer: Writer): Promise<Stored> {
    return this.look(writer, false);
  }

  /** The writer has left; the session waits for another one. */
  leave(writer: Writer): Promise<void> {
    return forgetWriter(this.database, writer);
  }

  /** The usual case, on the way of every word: a chunk that follows in a session that is LIVE. */
  private async appendAtOnce(writer: Writer, chunks: readonly Chunk[]): Promise<Stored | null> {
    const { format, number, sessionId } = writer;
    if (!format || number === 0 || !followsItself(chunks)) return null;
    for (const chunk of chunks) checkChunk(format, chunk);
    const conditions = { writer: number, states: ['LIVE'], maxBytes: format.maxSessionBytes } as const;
    return insertAudio(this.database, sessionId, rowOf(chunks), conditions);
  }

  /** Every other case: finds out which one it is, with the session locked. */
  private appendLocked(writer: Writer, chunks: readonly Chunk[]): Promise<Stored> {
    return this.locked(writer, async (tx, session, hasWriter) => {
      const fresh = chunks.filter(({ sequence }) => sequence > session.acknowledgedSequence);
      if (fresh.length === 0) return reachedOf(session);
      if (session.isComplete || isFinalLiveState(session.state)) throw sessionOver();
      const format = this.formatOf(session);
      checkChunks(session, format, fresh);
      if (writer.number === 0) refuseSingleCall(session, format, hasWriter);
      if (session.state === 'PAUSED') await this.resume(tx, session);
      return this.store(tx, session, format, fresh);
    });
  }

  private async resume(tx: MediaTransaction, { ownerId }: LiveSessionRow): Promise<void> {
    const { sessionsPerAccount = DEFAULT_SESSIONS_PER_ACCOUNT } = this.limits;
    await takePlace(tx, { ownerId, sessionsPerAccount, tooMany: (ids) => tooMany(sessionsPerAccount, ids) });
  }

  private async store(
    tx: MediaTransaction,
    session: LiveSessionRow,
    { maxSessionBytes }: AudioFormat,
    chunks: readonly Chunk[],
  ): Promise<Stored> {
    const fitting = thoseThatFit(chunks, maxSessionBytes - Number(session.storedBytes));
    const conditions = {
      writer: null,
      states: ['WAITING', 'LIVE', 'PAUSED'],
      maxBytes: maxSessionBytes,
    } as const;
    const stored =
      fitting.length > 0 ? (await insertAudio(tx, session.id, rowOf(fitting), conditions))! : reachedOf(session);
    if (fitting.length < chunks.length) return this.complete(tx, session.id, stored);
    if (session.state !== 'LIVE') await announceSession(this.events, tx, session.id);
    return stored;
  }

  private async complete(tx: MediaTransaction, sessionId: string, stored: Stored): Promise<Stored> {
    await completeAudio(tx, sessionId);
    await announceSession(this.events, tx, sessionId);
    return { ...stored, state: 'ENDING' };
  }

  private locked(
    { sessionId, number }: Writer,
    work: (tx: MediaTransaction, session: LiveSessionRow, hasWriter: boolean) => Promise<Stored>,
  ): Promise<Stored> {
    return this.database.transaction(async (tx) => {
      const found = await lockSession(tx, sessionId);
      if (!found) throw unknownSession();
      if (number !== 0 && number !== found.session.writer) throw new WriterReplaced();
      return work(tx, found.session, found.hasWriter);
    });
  }

  private async look(writer: Writer, seen: boolean): Promise<Stored> {
    const found = await lookAtSession(this.database, writer, seen);
    if (!found) throw unknownSession();
    const { writer: present, isComplete, ...reached } = found;
    if (writer.number !== present) throw new WriterReplaced();
    if (isComplete || isFinalLiveState(reached.state)) throw sessionOver();
    return reached;
  }

  private formatOf(session: LiveSessionRow): AudioFormat {
    return formatOf(session, this.limits.maxDurationMs);
  }
}

function followsItself(chunks: readonly Chunk[]): boolean {
  return chunks.length > 0 && chunks.every(({ sequence }, index) => sequence === chunks[0]!.sequence + index);
}

/** Gaps come first: what stands behind one may be anything. */
function checkChunks(session: LiveSessionRow, format: AudioFormat, chunks: readonly Chunk[]): void {
  chunks.forEach((chunk, index) => {
    const expected = session.acknowledgedSequence + 1 + index;
    if (chunk.sequence !== expected) throw new SequenceGap(session.acknowledgedSequence + 1, chunk.sequence);
    checkChunk(format, chunk);
  });
  if (session.acknowledgedSequence === 0 && session.encoding === 'PCM_S16LE') refuseContainer(chunks[0]!);
}

/** As samples it would be noise to its end, and no engine would tell why. */
function refuseContainer({ bytes }: Chunk): void {
  const name = containerName(bytes);
  if (name === null) return;
  throw new UserProblemError<MediaProblemCode>({
    code: 'INVALID_INPUT',
    message: `This is ${name}, and the session takes raw samples. Start one with "encoding": "container".`,
  });
}

function tooMany(most: number, ids: readonly string[]): UserProblemError<MediaProblemCode> {
  const message = `An account has at most ${most} live sessions under way. This one goes on when one of these has ended or pauses: ${ids.join(', ')}.`;
  return new UserProblemError({ code: 'ENGINE_BUSY', message, retryAfterMs: RESUME_RETRY_MS });
}

/** A connected writer is held back by its connection; a single call can only be told to come again. */
function refuseSingleCall(session: LiveSessionRow, format: AudioFormat, hasWriter: boolean): void {
  if (hasWriter)
    throw new WriterReplaced('A writer is connected to this session; single chunks are taken when it has left.');
  const surplus = reachedOf(session).unheardBytes - format.maxUnheardBytes;
  if (surplus <= 0) return;
  const untilHeardMs = format.bytesPerSecond === null ? 0 : Math.ceil((surplus / format.bytesPerSecond) * 1_000);
  throw new UserProblemError<MediaProblemCode>({
    code: 'ENGINE_BUSY',
    message: 'More audio waits to be heard than may. Send the chunk again after "retryAfterMs".',
    retryAfterMs: Math.max(RETRY_MS, untilHeardMs),
  });
}

function thoseThatFit(chunks: readonly Chunk[], room: number): readonly Chunk[] {
  let size = 0;
  const tooMany = chunks.findIndex(({ bytes }) => (size += bytes.length) > room);
  return tooMany < 0 ? chunks : chunks.slice(0, tooMany);
}

function rowOf(chunks: readonly Chunk[]): AudioRow {
  const bytes = chunks.length === 1 ? chunks[0]!.bytes : Buffer.concat(chunks.map((chunk) => chunk.bytes));
  return { first: chunks[0]!.sequence, last: chunks.at(-1)!.sequence, bytes };
}
