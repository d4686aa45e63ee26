import { EngineUnavailableError, TranscriberFailedError } from '../transcriber';
import type { RemoteService } from './remote-call';
import { retryAfterMs } from './retry-after';

/** Why an attempt brought no answer. */
export interface Refusal {
  /** Whether another attempt may succeed. */
  again: boolean;
  retryAfterMs: number | null;
  error: Error;
}

/** An answer over HTTP, as undici and node:http give it. */
export interface Response {
  statusCode: number;
  headers: Record<string, string | string[] | undefined>;
  body: AsyncIterable<Buffer>;
}

/** Ten hours of speech with word times are about 20 MB. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const MAX_ERROR_BYTES = 16 * 1024;

/** Reads a whole answer within bounds. Throws TranscriberFailedError when it is none that makes sense, or what reading throws. */
export async function readAnswer(service: RemoteService, response: Response): Promise<{ answer: unknown } | Refusal> {
  const { statusCode, headers } = response;
  if (statusCode < 200 || statusCode > 299) return refusal(service, response);
  const body = await readBounded(response.body, MAX_ANSWER_BYTES);
  if (body === null) throw nonsense(service, `an answer of more than ${MAX_ANSWER_BYTES / 1024 ** 2} MB`);
  const type = String(headers['content-type'] ?? 'no type')
    .split(';', 1)[0]!
    .trim();
  if (!/^(application|text)\/([\w.-]+\+)?json$/i.test(type))
    throw nonsense(service, `${asToken(type)} instead of JSON`);
  try {
    return { answer: JSON.parse(body) as unknown };
  } catch {
    throw nonsense(service, 'JSON that breaks off or is none');
  }
}

/** The error for an answer that is not what the protocol says. */
export function nonsense({ name }: Pick<RemoteService, 'name'>, what: string): TranscriberFailedError {
  return new TranscriberFailedError(`${name} answered with ${what}.`);
}

/** What an answer with an error status means. Throws what reading throws. */
export async function refusal(
  service: Pick<RemoteService, 'name' | 'variables'>,
  { statusCode, headers, body }: Response,
): Promise<Refusal> {
  const text = await readBounded(body, MAX_ERROR_BYTES);
  const again = isWorthRepeating(statusCode);
  const error = errorFor(service, statusCode, `HTTP ${statusCode}${codeIn(text)}`);
  return { again, retryAfterMs: again ? retryAfterMs(headers['retry-after']) : null, error };
}

function isWorthRepeating(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500;
}

function errorFor(
  { name, variables }: Pick<RemoteService, 'name' | 'variables'>,
  status: number,
  detail: string,
): Error {
  const { key, url, model } = variables;
  if (status === 401 || status === 403)
    return new EngineUnavailableError(`${name} refuses the key (${detail}). Check ${key}.`);
  if (status === 402) return new EngineUnavailableError(`${name} wants to be paid first (${detail}).`);
  if (status === 404 || status === 405 || (status >= 300 && status < 400))
    return new EngineUnavailableError(
      `${name} is not at that address, or lacks the model (${detail}). Check ${url} and ${model}.`,
    );
  const wasRetried = isWorthRepeating(status);
  if (status === 429)
    return new TranscriberFailedError(`${name} has too much to do for us (${detail}).`, { wasRetried });
  if (status >= 500 || status < 400) return new TranscriberFailedError(`${name} failed (${detail}).`, { wasRetried });
  const refused = `${name} refused the recording or an option (${detail}).`;
  return new TranscriberFailedError(refused, { retryable: wasRetried, wasRetried });
}

/**
 * The machine-readable code of an error (OpenAI: `error.code` or `error.type`; Deepgram: `err_code`). The text beside it is
 * left out: it may repeat the key or the address.
 */
function codeIn(text: string | null): string {
  const found = /"(?:err_code|code|type)"\s*:\s*"([\w.-]{1,60})"/.exec(text ?? '');
  return found ? `, ${found[1]}` : '';
}

function asToken(value: string): string {
  return /^[\w.+/-]{1,80}$/.test(value) ? value : 'an unreadable type';
}

/** Null when there is more than that; the rest is not read. */
async function readBounded(body: AsyncIterable<Buffer>, maxBytes: number): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
