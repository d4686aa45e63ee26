import type { IncomingMessage } from 'node:http';
import { HttpError } from './responses';

/** Strict: bytes that are no UTF-8 are refused, not replaced. */
const UTF_8 = new TextDecoder('utf-8', { fatal: true });

/** Content types a plain HTML form can send; Apollo's CSRF prevention answers for them. */
const FORM_TYPES = new Set(['', 'text/plain', 'application/x-www-form-urlencoded']);

/**
 * Reads a JSON request body of at most `maxBytes`. Answers undefined for the content types that Apollo refuses itself.
 * Throws an `HttpError`: 415 for another type, charset or encoding, 413 when too large, 408 when it stalls for
 * `idleMs`, 400 when it is no JSON in UTF-8.
 */
export async function readJsonBody(
  request: IncomingMessage,
  limits: { maxBytes: number; idleMs: number },
): Promise<unknown> {
  const [type = '', ...parameters] = (request.headers['content-type'] ?? '')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  if (FORM_TYPES.has(type)) return undefined;
  if (type !== 'application/json')
    throw new HttpError(415, 'BAD_REQUEST', `The content type must be application/json, not ${type.slice(0, 100)}.`);
  const charset = parameters
    .find((parameter) => parameter.startsWith('charset='))
    ?.slice('charset='.length)
    .replaceAll('"', '');
  if (charset && charset !== 'utf-8' && charset !== 'utf8')
    throw new HttpError(415, 'BAD_REQUEST', 'The charset must be utf-8.');
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') throw new HttpError(415, 'BAD_REQUEST', 'A compressed body is not accepted.');
  const bytes = await readBytes(request, limits);
  try {
    return JSON.parse(UTF_8.decode(bytes));
  } catch (error) {
    throw new HttpError(400, 'BAD_REQUEST', 'The body is not valid JSON in UTF-8.', { cause: error });
  }
}

function readBytes(request: IncomingMessage, limits: { maxBytes: number; idleMs: number }): Promise<Buffer> {
  const tooLarge = (): HttpError =>
    new HttpError(413, 'PAYLOAD_TOO_LARGE', `The body must not be larger than ${limits.maxBytes} bytes.`);
  if (Number(request.headers['content-length'] ?? 0) > limits.maxBytes) return Promise.reject(tooLarge());
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let sizeBytes = 0;
    let isOver = false;
    const fail = (makeError: () => HttpError): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(idle);
      request.pause();
      request.removeAllListeners('data');
      reject(makeError());
    };
    const cutOff = (cause?: Error): void =>
      fail(() => new HttpError(400, 'BAD_REQUEST', 'The body was cut off.', { cause }));
    // The limit is for the whole body: it is small, and one byte now and then is a way to hold a connection.
    const idle = setTimeout(
      () => fail(() => new HttpError(408, 'TIMEOUT', 'The body did not arrive in time.')),
      limits.idleMs,
    );
    request.on('data', (part: Buffer) => {
      sizeBytes += part.length;
      if (sizeBytes > limits.maxBytes) fail(tooLarge);
      else parts.push(part);
    });
    request.once('end', () => {
      isOver = true;
      clearTimeout(idle);
      resolve(parts.length === 1 ? parts[0]! : Buffer.concat(parts));
    });
    request.once('error', cutOff);
    request.once('close', cutOff);
  });
}
