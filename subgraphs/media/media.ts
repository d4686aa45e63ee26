import { balanceOf } from '../../platform/credits/balance';
import { InsufficientCredits } from '../../platform/credits/ledger';
import { readConnection, type Connection, type PageRequest } from '../../platform/connection';
import { UserProblemError } from '../../platform/errors';
import { claimIdempotencyKey, isIdempotencyKeyClaimed } from '../../platform/idempotency';
import { isId, newId } from '../../platform/ids';
import type { Viewer } from '../../platform/identity/viewer';
import type { Job } from '../../platform/jobs/job';
import type { StoredObject } from '../../platform/objects/stored-objects';
import type { Platform } from '../../platform/platform';
import { openUpload, type IncomingFile } from '../../platform/subgraph/uploads';
import { withoutNulls } from './asking/once';
import { inputProblem } from './errors';
import { checkedFilter, checkedTexts, kindOf, titleFromName, type MediaTexts } from './media-input';
import { orThrow, sameCallOptions, type RecognitionOptions, type RecognitionPlan } from './recognition';
import {
  asMediaTransaction,
  type LibraryFilter,
  type MediaRecords,
  type MediaRow,
  type MediaTransaction,
} from './records';
import type { Transcripts } from './transcripts';

export interface CreateMedia {
  fileId?: string | null | undefined;
  upload?: Promise<IncomingFile> | null | undefined;
  title?: string | null | undefined;
  description?: string | null | undefined;
  artist?: string | null | undefined;
  album?: string | null | undefined;
  tags?: readonly string[] | null | undefined;
  transcribe?: RecognitionOptions | null | undefined;
  idempotencyKey?: string | null | undefined;
}

export interface CreatedMedia {
  media: MediaRow;
  job: Job | null;
}

/** What one call of createMedia has decided before any byte or row is written. */
interface Plan {
  viewer: Viewer;
  texts: MediaTexts;
  /** A problem here refuses a first call only: a repeated one is answered with what the first one made. */
  recognition: RecognitionPlan | UserProblemError | null;
  input: CreateMedia;
}

const OPERATION = 'createMedia';

/** The recordings of an account. */
export class MediaLibrary {
  constructor(
    private readonly records: MediaRecords,
    private readonly transcripts: Transcripts,
    private readonly platform: Pick<Platform, 'objects' | 'maxFileBytes'>,
  ) {}

  /** A page of the viewer's recordings, newest first. Throws BAD_USER_INPUT for a page or a filter out of bounds. */
  list(viewer: Viewer, page: PageRequest, filter: LibraryFilter): Promise<Connection<MediaRow>> {
    const checked = checkedFilter(filter);
    return readConnection(
      page,
      (media) => media.id,
      (take, before) => this.records.library(viewer.userId, checked, take, before),
    );
  }

  /**
   * Adds a recording, and begins its transcript when that is asked for. Whatever can be refused is refused before the
   * bytes are read; type and size as soon as the bytes show them. When the signal aborts before the last byte is in,
   * nothing is kept; afterwards it changes nothing.
   */
  async create(viewer: Viewer, input: CreateMedia, signal: AbortSignal): Promise<CreatedMedia> {
    const { fileId, upload, transcribe } = input;
    if ((fileId == null) === (upload == null)) {
      throw inputProblem('INVALID_INPUT', 'Give exactly one of "fileId" and "upload".');
    }
    const texts = checkedTexts(input);
    const recognition = transcribe ? await this.transcripts.plan(transcribe, ['input', 'transcribe']) : null;
    const refusal =
      recognition instanceof UserProblemError
        ? recognition
        : upload && transcribe
          ? await this.noCredits(viewer)
          : null;
    if (refusal && !(await this.mayBeRepeated(viewer, input))) throw refusal;
    const plan = { viewer, texts, recognition, input };
    return upload ? this.createFromUpload(upload, plan, signal) : this.createFromFile(fileId!, plan);
  }

  /** A transcript costs one credit at least: who has none is told before the bytes are read. */
  private async noCredits({ userId }: Viewer): Promise<InsufficientCredits | null> {
    const { balance } = await this.records.transaction((tx) => balanceOf(tx, userId));
    return balance > 0 ? null : new InsufficientCredits(1, balance);
  }

  private mayBeRepeated(viewer: Viewer, { idempotencyKey: key }: CreateMedia): Promise<boolean> {
    return this.records.transaction((tx) =>
      isIdempotencyKeyClaimed(tx, { ownerId: viewer.userId, operation: OPERATION, key }),
    );
  }

  private async createFromFile(fileId: string, plan: Plan): Promise<CreatedMedia> {
    const path = ['input', 'fileId'];
    const file = isId('fil', fileId) ? await this.platform.objects.find(fileId, plan.viewer.userId) : null;
    if (!file) throw inputProblem('NOT_FOUND', 'You have no file with this ID.', 'fileId');
    kindOf(file.mimeType, path);
    return this.records.transaction((tx) => this.register(tx, file, plan, { fileId }));
  }

  private async createFromUpload(file: Promise<IncomingFile>, plan: Plan, signal: AbortSignal): Promise<CreatedMedia> {
    const path = ['input', 'upload'];
    using upload = await openUpload(file, { signal, argumentPath: path });
    const incoming = {
      ownerId: plan.viewer.userId,
      name: upload.name,
      source: upload.bytes,
      maxBytes: this.platform.maxFileBytes,
      accept: (mimeType: string) => void kindOf(mimeType, path),
      argumentPath: path,
    };
    try {
      return await this.platform.objects.put(incoming, async (tx, file) => {
        const created = await this.register(asMediaTransaction(tx), file, plan, { sha256: file.sha256 });
        // The same bytes again under the same key: undo the second copy, answer with the first.
        if (created.media.fileId !== file.id) throw new AlreadyCreated(created);
        return created;
      });
    } catch (error) {
      if (error instanceof AlreadyCreated) return error.created;
      throw error;
    }
  }

  private async register(
    tx: MediaTransaction,
    file: StoredObject,
    { viewer, texts, recognition, input }: Plan,
    source: object,
  ): Promise<CreatedMedia> {
    const call = {
      ownerId: viewer.userId,
      operation: OPERATION,
      key: input.idempotencyKey,
      input: withoutNulls({
        ...source,
        ...texts,
        transcribe: input.transcribe ? sameCallOptions(input.transcribe) : null,
      }),
    };
    const id = newId('med');
    const earlier = await claimIdempotencyKey(tx, call, id);
    if (earlier !== null) return this.records.createdEarlier(tx, earlier, recognition !== null);
    const recognitionPlan = orThrow(recognition);

    const media = await this.records.insertMedia(tx, {
      id,
      ownerId: viewer.userId,
      fileId: file.id,
      kind: kindOf(file.mimeType, []),
      ...texts,
      title: texts.title ?? titleFromName(file.name),
    });
    const begun = recognitionPlan && (await this.transcripts.begin(tx, media, recognitionPlan));
    return { media, job: begun?.job ?? null };
  }
}

/** Rolls the second of two equal uploads back. */
class AlreadyCreated extends Error {
  constructor(readonly created: CreatedMedia) {
    super(`This call was made before; it created ${created.media.id}.`);
    this.name = 'AlreadyCreated';
  }
}
