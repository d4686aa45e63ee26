import { addAbortSignal, type Readable } from 'node:stream';
import { GraphQLUpload, Upload, type FileUpload } from 'graphql-upload-minimal';
import { SautiError, UserProblemError } from '../errors';

/**
 * The value of an `Upload` variable on its way from the gateway to a subgraph in the same process. Between processes
 * the same class is filled by graphql-upload-minimal's multipart parser (see `serve.ts`).
 */
export { GraphQLUpload, Upload, type FileUpload };

/** A file on its way in, as the GraphQL multipart request brings it. */
export interface IncomingFile {
  filename: string;
  createReadStream(): Readable;
}

/** An upload that has begun to arrive. Disposing it lets the rest pass by unread. */
export interface OpenUpload extends Disposable {
  /** As the client calls it. */
  name: string;
  bytes: AsyncIterable<Uint8Array>;
}

/**
 * Opens an upload for reading. One that breaks off, or whose client leaves before the last byte (`signal`), is told as the
 * problem INVALID_INPUT at `argumentPath`, apart from failures of whoever reads.
 */
export async function openUpload(
  file: Promise<IncomingFile>,
  options: { signal: AbortSignal; argumentPath: string[] },
): Promise<OpenUpload> {
  const { signal, argumentPath } = options;
  const incoming = await file.catch((cause: unknown) => brokeOff(cause, argumentPath));
  const stream = openStream(incoming, signal, argumentPath);
  return {
    name: incoming.filename,
    bytes: bytesOf(stream, argumentPath),
    // What nobody reads still has to arrive, or the parts behind it in the same request never would.
    [Symbol.dispose]: () => void stream.resume(),
  };
}

function openStream(incoming: IncomingFile, signal: AbortSignal, path: string[]): Readable {
  try {
    const stream = addAbortSignal(signal, incoming.createReadStream());
    // Whoever reads sees the failure; one that comes when nobody reads must not end the process.
    stream.on('error', () => {});
    return stream;
  } catch (error) {
    return brokeOff(error, path);
  }
}

async function* bytesOf(stream: Readable, path: string[]): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
  } catch (error) {
    brokeOff(error, path);
  }
}

function brokeOff(cause: unknown, path: string[]): never {
  if (cause instanceof SautiError || cause instanceof UserProblemError) throw cause;
  const message = 'The upload broke off before its last byte. Nothing was kept; send the file again.';
  throw new UserProblemError({ code: 'INVALID_INPUT', message, path }, { cause });
}
