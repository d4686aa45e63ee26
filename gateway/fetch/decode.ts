import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { SubgraphError } from './transport';

type Decoder = (bytes: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;

const gzip: Decoder = promisify(gunzip);
const DECODERS: ReadonlyMap<unknown, Decoder> = new Map([
  ['gzip', gzip],
  ['x-gzip', gzip],
  ['deflate', promisify(inflate)],
  ['br', promisify(brotliDecompress)],
]);

/** What is asked for where a subgraph may compress. */
export const ACCEPTED_ENCODINGS = 'gzip, br;q=0.9, deflate;q=0.5';

/**
 * Decodes a body that came with a Content-Encoding, also one that nobody asked for. Decoding stops at `maxBytes` of
 * output, so a small body that unpacks to a huge one costs no more memory than the largest answer. Throws
 * {@link SubgraphError} when it is larger, damaged, or encoded more than once or in an unknown way.
 */
export async function decodeBody(bytes: Buffer, encoding: string | string[], maxBytes: number): Promise<Buffer> {
  const decoder = DECODERS.get(typeof encoding === 'string' ? encoding.toLowerCase() : undefined);
  if (!decoder)
    throw new SubgraphError('SUBGRAPH_BAD_RESPONSE', `answered with the content encoding ${String(encoding)}`);
  try {
    return await decoder(bytes, { maxOutputLength: maxBytes });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes);
    throw new SubgraphError('SUBGRAPH_BAD_RESPONSE', 'answered with a body that cannot be decoded', { cause: error });
  }
}

/** An answer over the limit. */
export function tooLarge(maxBytes: number): AnswerTooLargeError {
  return new AnswerTooLargeError('SUBGRAPH_BAD_RESPONSE', `answered with more than ${maxBytes} bytes`);
}

/** Not held against the subgraph: it answered, and any client can ask for much. */
export class AnswerTooLargeError extends SubgraphError {}
