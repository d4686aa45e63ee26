import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import busboy from 'busboy';
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
    let operations: string | undefined;
    let parts: Map<string, FilePart> | undefined;
    let settleReceived = (): void => {};
    const received = new Promise<void>((settle) => (settleReceived = settle));

    const finish = (error?: HttpError): void => {
      clearTimeout(idle);
      if (error) {
        reject(error);
        request.unpipe(parser);
        parser.destroy();
      }
      const failure = error?.message ?? 'The body has no file for an entry of its map.';
      for (const part of parts?.values() ?? []) part.fail(new SautiError('BAD_USER_INPUT', failure, { cause: error }));
      settleReceived();
    };
    const idle = setTimeout(
      () => finish(new HttpError(408, 'TIMEOUT', 'The body did not arrive in time.')),
      limits.idleMs,
    );

    parser.on('field', (name, value, info) => {
      try {
        if (operations === undefined)
          operations = expectField('operations', MAX_OPERATIONS_BYTES, name, value, info.valueTruncated);
        else if (parts) throw malformed('The body has a field after its map; only files may follow.');
        else {
          const placed = placeUploads(
            operations,
            expectField('map', MAX_MAP_BYTES, name, value, info.valueTruncated),
            limits.maxFiles,
          );
          parts = new Map(
            [...placed.uploads].map(([key, upload]) => [
              key,
              new FilePart(key, upload as ReceivedUpload, limits.maxFileBytes),
            ]),
          );
          resolve({
            body: placed.operations,
            received,
            abandon() {
              clearTimeout(idle);
              request.unpipe(parser);
              parser.destroy();
              for (const part of parts?.values() ?? []) part.discard();
              settleReceived();
            },
          });
        }
      } catch (error) {
        finish(error as HttpError);
      }
    });
    parser.on('file', (name: string | undefined, stream: Readable, info) => {
      // It fails when the parser is destroyed; without a listener that would end the process.
      stream.on('error', () => {});
      if (!parts) {
        stream.resume();
        return finish(malformed('The body has a file before its map.'));
      }
      const part = name === undefined ? undefined : parts.get(name);
      if (!part || !part.start(stream, info)) stream.resume();
    });
    for (const event of ['filesLimit', 'fieldsLimit', 'partsLimit'] as const) {
      parser.on(event, () =>
        finish(
          new HttpError(
            413,
            'PAYLOAD_TOO_LARGE',
            `The body has too many parts; at most ${limits.maxFiles} files are allowed.`,
          ),
        ),
      );
    }
    // `on`, not `once`: the parser may report several errors, and one without a listener would end the process.
    parser.on('error', (error) => finish(malformed('The body is not well-formed multipart/form-data.', error)));
    parser.once('close', () => finish(parts ? undefined : malformed('The body ends before its map.')));
    request.once('close', () => {
      if (!request.complete) finish(malformed('The body was cut off.'));
    });
    request.on('error', (error) => finish(malformed('The body was cut off.', error)));
    request.on('data', () => idle.refresh());
    request.pipe(parser);
  });
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
