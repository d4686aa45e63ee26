import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import busboy from 'busboy';
import type { Upload } from 'graphql-upload-minimal';
import { SautiError } from '../../platform/errors';
import { FilePart, type ReceivedUpload } from './file-part';
import { placeUploads } from './multipart-map';
import { HttpError } from './responses';

const MAX_OPERATIONS_BYTES = 100 * 1024;
const MAX_MAP_BYTES = 20 * 1024;
/** RFC 2046 §5.1.1: 1 to 70 characters, not ending in a space. */
const BOUNDARY = /boundary=(?:"([\w'()+,./:=? -]{0,69}[\w'()+,./:=?-])"|([\w'+.-]{1,70}))\s*(?:;|$)/i;

export interface MultipartLimits {
  maxFileBytes: number;
  maxFiles: number;
  /** Longest pause between two pieces of the body; a file nobody reads stops the body, too. */
  idleMs: number;
}

export interface MultipartRequest {
  /** The `operations` part with an `Upload` at every place the map names. */
  body: Record<string, unknown>;
  /** Settles when the body is in, or has failed. */
  received: Promise<void>;
  /** Nobody will read the files any more: nothing more is parsed; `lingerUnread` deals with what still arrives. */
  abandon(): void;
}

/**
 * Receives a GraphQL multipart request (https://github.com/jaydenseric/graphql-multipart-request-spec): `operations`,
 * then `map`, then the files in any order. Resolves as soon as the map is in; files flow into their `Upload` with
 * back-pressure and are never held. A body that breaks off, stalls or grows too large makes the stream under way fail,
 * so a reader never takes a part for a whole. Rejects with an `HttpError` for what is malformed before that.
 */
export async function receiveMultipart(request: IncomingMessage, limits: MultipartLimits): Promise<MultipartRequest> {
  const parser = createParser(request, limits);
  return new Promise((resolve, reject) => {
    new MultipartReceiver(request, parser, limits, { resolve, reject }).start();
  });
}

/** One body on its way in: expects `operations`, then `map`, then files; ends whole, broken or abandoned. */
class MultipartReceiver {
  private operations: string | undefined;
  private parts: Map<string, FilePart> | undefined;
  private idle: NodeJS.Timeout | undefined;
  private settleReceived = (): void => {};

  constructor(
    private readonly request: IncomingMessage,
    private readonly parser: busboy.Busboy,
    private readonly limits: MultipartLimits,
    private readonly outcome: { resolve(received: MultipartRequest): void; reject(error: HttpError): void },
  ) {}

  start(): void {
    const { request, parser, limits } = this;
    const timeout = (): void => this.finish(new HttpError(408, 'TIMEOUT', 'The body did not arrive in time.'));
    this.idle = setTimeout(timeout, limits.idleMs);
    parser.on('field', (name, value, info) => this.takeField(name, value, info.valueTruncated));
    parser.on('file', (name, stream, info) => this.takeFile(name, stream, info));
    const tooMany = `The body has too many parts; at most ${limits.maxFiles} files are allowed.`;
    for (const event of ['filesLimit', 'fieldsLimit', 'partsLimit'] as const) {
      parser.on(event, () => this.finish(new HttpError(413, 'PAYLOAD_TOO_LARGE', tooMany)));
    }
    // `on`, not `once`: the parser may report several errors, and one without a listener would end the process.
    parser.on('error', (error) => this.finish(malformed('The body is not well-formed multipart/form-data.', error)));
    parser.once('close', () => this.finish(this.parts ? undefined : malformed('The body ends before its map.')));
    request.once('close', () => {
      if (!request.complete) this.finish(malformed('The body was cut off.'));
    });
    request.on('error', (error) => this.finish(malformed('The body was cut off.', error)));
    request.on('data', () => this.idle?.refresh());
    request.pipe(parser);
  }

  private takeField(name: string | undefined, value: string, truncated: boolean): void {
    try {
      if (this.parts) throw malformed('The body has a field after its map; only files may follow.');
      if (this.operations === undefined) {
        this.operations = expectField('operations', MAX_OPERATIONS_BYTES, name, value, truncated);
      } else {
        this.takeMap(this.operations, expectField('map', MAX_MAP_BYTES, name, value, truncated));
      }
    } catch (error) {
      this.finish(error as HttpError);
    }
  }

  private takeMap(operationsText: string, mapText: string): void {
    const { operations, uploads } = placeUploads(operationsText, mapText, this.limits.maxFiles);
    const partOf = (key: string, upload: Upload): FilePart =>
      new FilePart(key, upload as ReceivedUpload, this.limits.maxFileBytes);
    this.parts = new Map([...uploads].map(([key, upload]) => [key, partOf(key, upload)]));
    const received = new Promise<void>((settle) => (this.settleReceived = settle));
    this.outcome.resolve({ body: operations, received, abandon: () => this.abandon() });
  }

  private takeFile(name: string | undefined, stream: Readable, info: busboy.FileInfo): void {
    // It fails when the parser is destroyed; without a listener that would end the process.
    stream.on('error', () => {});
    const part = name === undefined ? undefined : this.parts?.get(name);
    if (!part?.start(stream, info)) stream.resume();
    if (!this.parts) this.finish(malformed('The body has a file before its map.'));
  }

  private finish(error?: HttpError): void {
    clearTimeout(this.idle);
    const failure = error?.message ?? 'The body has no file for an entry of its map.';
    for (const part of this.parts?.values() ?? [])
      part.fail(new SautiError('BAD_USER_INPUT', failure, { cause: error }));
    this.settleReceived();
    if (!error) return;
    this.outcome.reject(error);
    this.request.unpipe(this.parser);
    this.parser.destroy();
  }

  private abandon(): void {
    clearTimeout(this.idle);
    this.request.unpipe(this.parser);
    this.parser.destroy();
    for (const part of this.parts?.values() ?? []) part.discard();
    this.settleReceived();
  }
}

function createParser(request: IncomingMessage, limits: MultipartLimits): busboy.Busboy {
  const type = request.headers['content-type'] ?? '';
  if (!BOUNDARY.test(type))
    throw malformed('The content type multipart/form-data needs a boundary of 1 to 70 characters.');
  try {
    return busboy({
      headers: request.headers,
      defParamCharset: 'utf8',
      // One more byte than allowed: the parser stops at its limit, where a file of exactly that size may end.
      limits: {
        fieldSize: MAX_OPERATIONS_BYTES + 1,
        fields: 2,
        files: limits.maxFiles,
        fileSize: limits.maxFileBytes + 1,
        parts: limits.maxFiles + 3,
      },
    });
  } catch (error) {
    throw malformed('The content type is not well-formed multipart/form-data.', error);
  }
}

function expectField(
  expected: string,
  maxBytes: number,
  name: string | undefined,
  value: string,
  truncated: boolean,
): string {
  if (name !== expected)
    throw malformed(`The body must start with the fields "operations" and "map"; expected "${expected}".`);
  if (truncated || Buffer.byteLength(value) > maxBytes) {
    throw new HttpError(413, 'PAYLOAD_TOO_LARGE', `The field "${expected}" must not be larger than ${maxBytes} bytes.`);
  }
  return value;
}

function malformed(message: string, cause?: unknown): HttpError {
  return new HttpError(400, 'BAD_REQUEST', message, { cause });
}
