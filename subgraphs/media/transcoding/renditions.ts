import { deriveDownloadKey, signBundle, signDownload } from '../../../platform/objects/signed-url';
import type { Platform } from '../../../platform/platform';
import { HLS_MAIN } from './hls';
import type { RenditionRow } from './rendition-records';

const LINK_MS = 12 * 3_600_000;

/** A link for a player, good for 12 hours; for HLS everything that the playlist names is read by it too. */
export function renditionUrl(
  { preset, fileId: objectId }: Pick<RenditionRow, 'preset' | 'fileId'>,
  { secret, filesUrl }: Pick<Platform, 'secret' | 'filesUrl'>,
): string {
  const key = deriveDownloadKey(secret);
  const expiresAt = new Date(Date.now() + LINK_MS);
  return preset === 'HLS'
    ? signBundle(key, filesUrl(), { objectId, expiresAt }, HLS_MAIN)
    : signDownload(key, filesUrl(), { objectId, disposition: 'INLINE', expiresAt });
}
