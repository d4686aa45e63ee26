import { UserProblemError } from '../../../platform/errors';
import { isId } from '../../../platform/ids';
import type { Viewer } from '../../../platform/identity/viewer';
import { openUpload, type IncomingFile } from '../../../platform/subgraph/uploads';
import { inputProblem } from '../errors';
import { formatOf } from './ingest/audio-format';
import type { AudioStore, Writer } from './ingest/audio-store';
import { SequenceGap } from './ingest/problems';
import type { LiveSessionRow } from './live-session';
import type { LiveSessionRecords } from './session-records';

/** `AppendLiveAudioInput` of the graph. */
export interface AppendLiveAudioInput {
  sessionId: string;
  sequence: number;
  chunk: Promise<IncomingFile>;
  last?: boolean | null | undefined;
}

/** What is done to a live session by single calls; all of it may be repeated. Each answers the session's id. */
export class LiveCalls {
  constructor(
    private readonly records: LiveSessionRecords,
    private readonly audio: Pick<AudioStore, 'append' | 'flush' | 'end'>,
  ) {}

  /**
   * Stores a chunk, unless it is stored already, and with `last` ends the session. Whatever can be refused is refused before
   * the bytes are read. Problems: NOT_FOUND, INVALID_INPUT (the chunk), CONFLICT (a gap, or another writer), INVALID_STATE
   * (the session has ended), ENGINE_BUSY with `retryAfterMs`.
   */
  async append(viewer: Viewer, input: AppendLiveAudioInput, signal: AbortSignal): Promise<string> {
    const { sequence, chunk, last } = input;
    const session = await this.own(viewer, input.sessionId);
    if (sequence < 1) throw inputProblem('INVALID_INPUT', `Chunks count from 1; this is ${sequence}.`, 'sequence');
    const bytes = await readChunk(chunk, formatOf(session).maxChunkBytes, signal);
    const writer = singleCallOf(session);
    await placed(() => this.audio.append(writer, [{ sequence, bytes }]));
    if (last) await placed(() => this.audio.end(writer));
    return session.id;
  }

  /** Makes everything sent so far final. Problems: NOT_FOUND, INVALID_STATE (the session has ended). */
  async flush(viewer: Viewer, sessionId: string): Promise<string> {
    const session = await this.own(viewer, sessionId);
    await placed(() => this.audio.flush(singleCallOf(session)));
    return session.id;
  }

  /** Says that no more audio comes. Problems: NOT_FOUND, INVALID_STATE (the session has FAILED). */
  async end(viewer: Viewer, sessionId: string): Promise<string> {
    const session = await this.own(viewer, sessionId);
    await placed(() => this.audio.end(singleCallOf(session)));
    return session.id;
  }

  private async own(viewer: Viewer, sessionId: string): Promise<LiveSessionRow> {
    const [session] = isId('liv', sessionId) ? await this.records.byIds([sessionId], viewer.userId) : [];
    if (session) return session;
    throw inputProblem('NOT_FOUND', 'You have no live session with this ID.', 'sessionId');
  }
}

/** Nobody is connected by it. */
function singleCallOf({ id }: LiveSessionRow): Writer {
  return { sessionId: id, number: 0 };
}

/** Reads no more than a chunk may have, and one byte to tell that there is more. */
async function readChunk(chunk: Promise<IncomingFile>, maxBytes: number, signal: AbortSignal): Promise<Buffer> {
  const argumentPath = ['input', 'chunk'];
  using upload = await openUpload(chunk, { signal, argumentPath });
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of upload.bytes) {
    parts.push(part);
    if ((size += part.length) > maxBytes)
      throw inputProblem('INVALID_INPUT', `A chunk has at most ${maxBytes} bytes here; this one has more.`, 'chunk');
  }
  return Buffer.concat(parts);
}

/** The store knows nothing of arguments: says which one a problem is about. */
async function placed<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UserProblemError)) throw error;
    const { code } = error.problem as { code: string };
    const argument = error instanceof SequenceGap ? 'sequence' : code === 'INVALID_INPUT' ? 'chunk' : 'sessionId';
    throw new UserProblemError({ ...error.problem, path: ['input', argument] }, { cause: error });
  }
}
