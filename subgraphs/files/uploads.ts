import { UserProblemError } from '../../platform/errors';
import { claimIdempotencyKey } from '../../platform/idempotency';
import type { Viewer } from '../../platform/identity/viewer';
import type { StoredObjects } from '../../platform/objects/stored-objects';
import { openUpload, type IncomingFile } from '../../platform/subgraph/uploads';
import type { FilesProblemCode } from './errors';
import type { FileRow } from './records';

export interface UploadRequest {
  file: Promise<IncomingFile>;
  name?: string | null | undefined;
  sha256?: string | null | undefined;
  idempotencyKey?: string | null | undefined;
}

/** Uploads: bytes on their way to becoming a file. */
export class Uploads {
  constructor(
    private readonly objects: StoredObjects,
    private readonly maxFileBytes: number,
  ) {}

  /**
   * Stores the bytes and answers the file, or the file that an earlier call with the same key, name and bytes made. When
   * the signal aborts before the last byte is in, nothing is kept; afterwards it changes nothing. Throws
   * `UserProblemError` with the codes of `errors.ts`.
   */
  async upload(viewer: Viewer, request: UploadRequest, signal: AbortSignal): Promise<FileRow> {
    const expectedSha256 = checkedSha256(request.sha256);
    const argumentPath = ['input', 'file'];
    using upload = await openUpload(request.file, { signal, argumentPath });
    const name = request.name ?? upload.name;
    try {
      return await this.objects.put(
        {
          ownerId: viewer.userId,
          name,
          source: upload.bytes,
          maxBytes: this.maxFileBytes,
          expectedSha256,
          argumentPath,
        },
        async (tx, object) => {
          const input = { name, sha256: object.sha256 };
          const call = { ownerId: viewer.userId, operation: 'uploadFile', key: request.idempotencyKey, input };
          const earlierId = await claimIdempotencyKey(tx, call, object.id);
          if (earlierId) throw new RepeatedUpload(earlierId);
          return object;
        },
      );
    } catch (error) {
      if (error instanceof RepeatedUpload) return this.earlierFile(error.fileId, viewer);
      throw error;
    }
  }

  private async earlierFile(id: string, viewer: Viewer): Promise<FileRow> {
    const file = await this.objects.find(id, viewer.userId);
    if (file) return file;
    throw problem('NOT_FOUND', 'The file that was made with this key is gone. Use a new key.', 'idempotencyKey');
  }
}

/** Rolls the second registration back, and with it goes its copy of the bytes. */
class RepeatedUpload extends Error {
  constructor(readonly fileId: string) {
    super('This upload was made before.');
  }
}

function checkedSha256(text: string | null | undefined): string | undefined {
  if (text == null) return undefined;
  if (/^[0-9a-f]{64}$/i.test(text)) return text;
  throw problem(
    'INVALID_INPUT',
    `A SHA-256 has 64 hexadecimal digits; this text has ${text.length} characters.`,
    'sha256',
  );
}

function problem(code: FilesProblemCode, message: string, field: string): UserProblemError<FilesProblemCode> {
  return new UserProblemError({ code, message, path: ['input', field] });
}
