import { UserProblemError, type UserProblem } from '../../../../platform/errors';
import { newId } from '../../../../platform/ids';
import type { HeldObject } from '../../../../platform/objects/stored-objects';
import type { Platform } from '../../../../platform/platform';
import { transcribeJob } from '../../jobs/transcribe';
import { recordLineage } from '../../lineage/lineage';
import { liveOrigin } from '../../lineage/origins';
import { kindOf } from '../../media-input';
import { MEDIA_MODELS, type MediaTransaction } from '../../records';
import type { TranscriberInfo } from '../../transcriber/transcriber';
import { WAV_HEADER_BYTES, wavHeader } from '../../transcriber/wav';
import type { LiveSessionRow } from '../live-session';
import { endingOf, ofContainer, type Found } from './recorded-container';
import { storedSound } from './stored-sound';

/** The sound of a session as a stored object that nobody sees yet. Disposed without {@link keep}, its bytes are removed. */
export interface Recording extends AsyncDisposable {
  /**
   * Makes the recording visible: the file, the media, and on the transcript which media it is of and where it comes from.
   * The session's own `mediaId` stays the caller's, who writes its row anyway. Locks the transcript: segments are to be
   * written before it, events appended behind it. Afterwards the bytes stay, whatever becomes of the transaction, because a
   * lost connection does not tell; those of one that was rolled back are removed by the store's sweep. Answers the id.
   */
  keep(tx: MediaTransaction, engine: Pick<TranscriberInfo, 'id' | 'version'>): Promise<string>;
}

type RefusalCode = 'FILE_TOO_LARGE' | 'TYPE_NOT_ALLOWED' | 'INTERNAL';
const REFUSALS: readonly string[] = ['FILE_TOO_LARGE', 'TYPE_NOT_ALLOWED'] satisfies RefusalCode[];

/**
 * There can be no recording of this session, now or later: it is above the limit of files, what was sent is no recording, or
 * storing it has failed too often (INTERNAL). The message is for the session's owner; what was heard is not touched by it.
 */
export class RecordingRefused extends Error {
  constructor(
    readonly code: RefusalCode,
    message: string,
    options?: { cause: unknown },
  ) {
    super(message, options);
    this.name = 'RecordingRefused';
  }
}

type RecordingPlatform = Pick<
  Platform,
  'objects' | 'database' | 'maxFileBytes' | 'scratchDirectory' | 'mediaLimits' | 'logger'
>;

/**
 * Stores the sound of a session to which nothing is added any more: PCM as a WAV file, a container as it came. Null when
 * none is wanted or nothing was sent. Throws {@link RecordingRefused}; whatever else it throws (no room, no database, the signal's reason) may
 * pass, and nothing is left of the attempt.
 */
export async function recordingOf(
  platform: RecordingPlatform,
  session: LiveSessionRow,
  signal: AbortSignal,
): Promise<Recording | null> {
  if (!session.record || session.storedBytes === 0n) return null;
  const sizeBytes = Number(session.storedBytes) + (session.encoding === 'PCM_S16LE' ? WAV_HEADER_BYTES : 0);
  if (sizeBytes > platform.maxFileBytes) throw tooLarge(sizeBytes, platform.maxFileBytes);
  const database = platform.database.slice(MEDIA_MODELS);
  const sound = storedSound(database, session, signal);
  const file =
    session.encoding === 'PCM_S16LE'
      ? await hold(platform, session, { source: asWav(session, sound), ending: 'wav', mimeType: 'audio/wav' })
      : await hold(platform, session, {
          source: sound,
          ending: await endingOf(storedSound(database, session, signal)),
        });
  try {
    const found =
      session.encoding === 'PCM_S16LE' ? ofPcm(session) : await ofContainer(platform, file, session.id, signal);
    return new HeldRecording(file, session, found);
  } catch (error) {
    await file.discard();
    throw error;
  }
}

class HeldRecording implements Recording {
  private isKept = false;

  constructor(
    private readonly file: HeldObject,
    private readonly session: LiveSessionRow,
    private readonly found: Found,
  ) {}

  async keep(
    tx: MediaTransaction,
    { id: engine, version = '' }: Pick<TranscriberInfo, 'id' | 'version'>,
  ): Promise<string> {
    this.isKept = true;
    const { ownerId, title, transcriptId } = this.session;
    const mediaId = newId('med');
    await this.file.register(tx);
    await tx.media.create({ data: { id: mediaId, ownerId, title, fileId: this.file.id, ...this.found } });
    const { options } = await tx.transcript.update({ where: { id: transcriptId }, data: { mediaId } });
    const result = { outputId: transcriptId, mediaId, kind: transcribeJob.kind };
    await recordLineage(tx, result, liveOrigin(this.file.id, { engine, engineVersion: version }, options));
    return mediaId;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.isKept) await this.file.discard();
  }
}

async function hold(
  { objects, maxFileBytes }: RecordingPlatform,
  { ownerId, title }: LiveSessionRow,
  { ending, ...incoming }: { source: AsyncIterable<Uint8Array>; ending: string; mimeType?: string },
): Promise<HeldObject> {
  try {
    return await objects.hold({
      ...incoming,
      ownerId,
      name: `${title}.${ending}`,
      maxBytes: maxFileBytes,
      accept: (mimeType) => void kindOf(mimeType, []),
      argumentPath: [],
    });
  } catch (error) {
    throw asRefusal(error) ?? error;
  }
}

/** `storedSound` gives all the bytes that the header tells of, or fails. */
async function* asWav(
  { storedBytes, sampleRate }: LiveSessionRow,
  sound: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  yield wavHeader(Number(storedBytes), sampleRate);
  yield* sound;
}

function ofPcm({ storedBytes, sampleRate }: LiveSessionRow): Found {
  return { kind: 'AUDIO', durationMs: Math.round((Number(storedBytes) / 2 / sampleRate) * 1_000) };
}

function tooLarge(sizeBytes: number, maxFileBytes: number): RecordingRefused {
  const message = `The sound of the session has ${sizeBytes} bytes; files have at most ${maxFileBytes}. Its transcript is complete, but there is no recording.`;
  return new RecordingRefused('FILE_TOO_LARGE', message);
}

function asRefusal(error: unknown): RecordingRefused | null {
  if (!(error instanceof UserProblemError)) return null;
  const { code, message } = error.problem as UserProblem;
  return REFUSALS.includes(code) ? new RecordingRefused(code as RefusalCode, message, { cause: error }) : null;
}
