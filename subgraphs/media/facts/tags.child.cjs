'use strict';
/**
 * The program that reads a file's tags with music-metadata, in a process of its own: what a crafted file does to it, it
 * does to nobody else. Plain JavaScript because it is started without our compilers.
 *
 * `node tags.child.cjs tags|cover FILE` writes one line of JSON, `{ artist, album, mimeType }`, then the picture's bytes.
 */
const [, , wanted, file] = process.argv;

async function main() {
  const { parseFile, selectCover } = await import('music-metadata');
  const { common } = await parseFile(file, { duration: false, skipCovers: wanted !== 'cover' });
  const cover = selectCover(common.picture);
  const head = { artist: common.artist ?? null, album: common.album ?? null, mimeType: cover?.format ?? null };
  process.stdout.write(`${JSON.stringify(head)}\n`);
  if (cover) process.stdout.write(cover.data);
}

main().catch((error) => {
  process.stderr.write(String(error?.message ?? error));
  process.exitCode = 1;
});
