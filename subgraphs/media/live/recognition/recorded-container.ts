import { link } from 'node:fs/promises';
import path from 'node:path';
import { JobDirectory } from '../../../../platform/jobs/job-directory';
import type { HeldObject } from '../../../../platform/objects/stored-objects';
import { SNIFF_BYTES, sniffMimeType } from '../../../../platform/objects/sniff';
import type { Platform } from '../../../../platform/platform';
import { inspectMedia } from '../../decoder/inspect-media';
import { kindOf } from '../../media-input';
import type { MediaRow } from '../../records';

/** What is known of a recording before anybody asks. */
export type Found = Pick<MediaRow, 'kind' | 'durationMs'>;

/**
 * What a stored container is. A recorder's WebM is told as a film by its first bytes; only its tracks say whether it has a
 * picture. One that cannot be looked into is told by its first bytes. Throws the signal's reason.
 */
export async function ofContainer(
  platform: Pick<Platform, 'objects' | 'scratchDirectory' | 'mediaLimits' | 'logger'>,
  file: HeldObject,
  sessionId: string,
  signal: AbortSignal,
): Promise<Found> {
  const { objects, scratchDirectory, mediaLimits, logger } = platform;
  await using directory = new JobDirectory(scratchDirectory, sessionId);
  const target = path.join(await directory.path(), 'recording');
  try {
    await link(await objects.localPath(file.id), target);
    const { video, durationMs } = await inspectMedia(target, { signal, ...mediaLimits });
    return { kind: video ? 'VIDEO' : 'AUDIO', durationMs };
  } catch (error) {
    signal.throwIfAborted();
    logger.warn({ error, sessionId }, 'a live recording could not be looked into; its first bytes tell its kind');
    return { kind: kindOf(file.mimeType, []), durationMs: null };
  }
}

/** The ending of a file's name by its type; players go by it. */
const ENDINGS: Readonly<Record<string, string>> = {
  'video/webm': 'webm',
  'video/matroska': 'mkv',
  'audio/ogg': 'ogg',
  'video/ogg': 'ogv',
  'application/ogg': 'ogg',
  'audio/mpeg': 'mp3',
  'audio/mp4': 'm4a',
  'audio/x-m4a': 'm4a',
  'video/mp4': 'mp4',
  'audio/aac': 'aac',
  'audio/flac': 'flac',
  'audio/wav': 'wav',
};

/** The ending for the name of this sound; one that misleads nobody where its type has none. */
export async function endingOf(sound: AsyncIterable<Uint8Array>): Promise<string> {
  let head = Buffer.alloc(0);
  for await (const bytes of sound) {
    head = Buffer.concat([head, bytes.subarray(0, SNIFF_BYTES - head.length)]);
    if (head.length === SNIFF_BYTES) break;
  }
  return ENDINGS[await sniffMimeType(head)] ?? 'bin';
}
