import { download } from './download';
import { deriveDownloadKey, signDownload } from './signed-url';
import type { StoredObject } from './stored-objects';

/** Objects whose bytes lie on another machine's disk. */
export interface RemoteObjects {
  /** Fetches and checks the object's bytes; see `download` for what it throws. */
  fetch(object: StoredObject, target: string, signal?: AbortSignal): Promise<void>;
}

/** Long enough for one request to begin; each one is signed anew. */
const LINK_MS = 10 * 60_000;

/** Fetches by signed links from the byte routes at `baseUrl`, which must know the same secret. */
export function createRemoteObjects({ baseUrl, secret }: { baseUrl: string; secret: string }): RemoteObjects {
  const key = deriveDownloadKey(secret);
  const linkTo = (objectId: string): string =>
    signDownload(key, baseUrl, { objectId, disposition: 'ATTACHMENT', expiresAt: new Date(Date.now() + LINK_MS) });
  return {
    fetch: ({ id, sizeBytes, sha256 }, target, signal = new AbortController().signal) =>
      download({ url: () => linkTo(id), target, sizeBytes: Number(sizeBytes), sha256, signal }),
  };
}
