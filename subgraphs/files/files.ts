import { readConnection, type Connection, type PageRequest } from '../../platform/connection';
import { SautiError } from '../../platform/errors';
import type { Viewer } from '../../platform/identity/viewer';
import { signDownload, type Disposition } from '../../platform/objects/signed-url';
import type { FileRecords, FileRow } from './records';

/** How long a download link may live, in seconds. */
const MAX_LINK_S = 86_400;
const MAX_SEARCH_LENGTH = 255;
const MAX_MIME_TYPES = 50;

export interface FileSearch {
  search?: string | null | undefined;
  mimeTypes?: readonly string[] | null | undefined;
}

/** Files that are complete: who finds them, and who may read their bytes. */
export class Files {
  constructor(
    private readonly records: FileRecords,
    private readonly downloadKey: Buffer,
    private readonly publicUrl: () => string,
  ) {}

  /** A page of the viewer's own files, newest first. Throws BAD_USER_INPUT for a page or a filter out of bounds. */
  async list(viewer: Viewer, page: PageRequest, filter: FileSearch): Promise<Connection<FileRow>> {
    const conditions = { nameContains: checkedSearch(filter.search), mimeTypes: checkedMimeTypes(filter.mimeTypes) };
    return readConnection(
      page,
      (file) => file.id,
      (take, beforeId) => this.records.filesOf(viewer.userId, conditions, take, beforeId),
    );
  }

  /** A link to the bytes that lives `expiresInS` seconds, 1 to 86400; otherwise BAD_USER_INPUT. */
  link(file: FileRow, expiresInS: number, disposition: Disposition): { url: string; expiresAt: Date } {
    if (expiresInS < 1 || expiresInS > MAX_LINK_S) {
      throw new SautiError('BAD_USER_INPUT', `"expiresIn" must be between 1 and ${MAX_LINK_S}; it was ${expiresInS}.`);
    }
    // Whole seconds, as the link writes them; rounded up, so it never lives shorter than asked for.
    const expiresAt = new Date((Math.ceil(Date.now() / 1_000) + expiresInS) * 1_000);
    return {
      url: signDownload(this.downloadKey, this.publicUrl(), { objectId: file.id, disposition, expiresAt }),
      expiresAt,
    };
  }
}

function checkedSearch(text: string | null | undefined): string | null {
  if (text == null || text === '') return null;
  // PostgreSQL takes no NUL, and no name holds one.
  if (text.length <= MAX_SEARCH_LENGTH && !text.includes('\0')) return text.normalize('NFC');
  throw new SautiError(
    'BAD_USER_INPUT',
    `"search" has at most ${MAX_SEARCH_LENGTH} characters and no NUL; this one has ${text.length}.`,
  );
}

function checkedMimeTypes(types: readonly string[] | null | undefined): readonly string[] | null {
  if (types == null) return null;
  if (types.length <= MAX_MIME_TYPES && types.every((type) => /^[\w.+-]{1,127}\/[\w.+-]{1,127}$/.test(type))) {
    return types.map((type) => type.toLowerCase());
  }
  throw new SautiError('BAD_USER_INPUT', `"mimeTypes" has at most ${MAX_MIME_TYPES} entries such as "audio/wav".`);
}
