/** How the containers begin that people send where raw samples are expected. */
const BEGINNINGS: readonly (readonly [name: string, bytes: Buffer])[] = [
  ['WebM or Matroska', Buffer.from([0x1a, 0x45, 0xdf, 0xa3])],
  ['Ogg', Buffer.from('OggS')],
  ['MP3', Buffer.from('ID3')],
  ['FLAC', Buffer.from('fLaC')],
];

/**
 * The name of the container that begins with these bytes, or null. Samples begin so once in 16 million times at most; an MP3
 * without a tag begins as quiet samples do, so it is not known.
 */
export function containerName(bytes: Uint8Array): string | null {
  const found = BEGINNINGS.find(([, beginning]) => beginning.equals(bytes.subarray(0, beginning.length)));
  return found ? found[0] : null;
}
