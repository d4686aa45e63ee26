import path from 'node:path';
import { repositoryRoot } from '../../../platform/root';
import { runGuarded } from '../decoder/run-guarded';
import { cleanText } from './clean-text';

/** What a file's own tags say; texts are clean. */
export interface FileTags {
  artist: string | null;
  album: string | null;
}

const MAX_TEXT_LENGTH = 200;
const TIMEOUT_MS = 10_000;
/** Above this an embedded picture is none for a page. */
export const MAX_COVER_BYTES = 10 * 1024 * 1024;

/**
 * Artist and album as the file's tags (ID3, MP4, Vorbis comments, RIFF INFO, Matroska …) say; nulls for a file without, or
 * one that music-metadata cannot read. Throws DecoderFailedError when that took too long or too much memory, or the
 * signal's reason.
 */
export async function readTags(file: string, signal: AbortSignal, node = process.execPath): Promise<FileTags> {
  const { head } = await runTagReader('tags', { file, signal, node });
  const text = (value: unknown): string | null => cleanText(value, MAX_TEXT_LENGTH);
  return { artist: text(head['artist']), album: text(head['album']) };
}

/** The bytes of the picture embedded in a file, the front cover before others; null when there is none. */
export async function readCover(file: string, signal: AbortSignal, node = process.execPath): Promise<Buffer | null> {
  const { picture } = await runTagReader('cover', { file, signal, node });
  return picture.length > 0 ? picture : null;
}

async function runTagReader(
  wanted: 'tags' | 'cover',
  { file, signal, node }: { file: string; signal: AbortSignal; node: string },
): Promise<{ head: Record<string, unknown>; picture: Buffer }> {
  const program = path.join(repositoryRoot(), 'subgraphs/media/facts/tags.child.cjs');
  const limits = { signal, timeoutMs: TIMEOUT_MS, maxOutputBytes: MAX_COVER_BYTES + 64 * 1024 };
  const { exitCode, stdout } = await runGuarded(node, [program, wanted, path.resolve(file)], limits);
  if (exitCode !== 0) return { head: {}, picture: Buffer.alloc(0) };
  const headEnd = stdout.indexOf('\n');
  return {
    head: JSON.parse(stdout.toString('utf8', 0, headEnd)) as Record<string, unknown>,
    picture: stdout.subarray(headEnd + 1),
  };
}
