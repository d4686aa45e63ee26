import type { ServerResponse } from 'node:http';
import type { Payload } from '../execute/execute-incrementally';
import type { Answer } from '../execute/execution';
import { formatErrors } from './format-error';

/** Sends an answer whose data is JSON text already, as Apollo Server would send it. */
export function sendAnswer(response: ServerResponse, answer: Answer, contentType: string): void {
  const body = `{${answerText(answer)}}\n`;
  response.writeHead(200, {
    'content-type': contentType,
    'cache-control': 'private, no-store',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}

/** Parts are set apart by this, as Apollo's servers and clients have it. */
const BOUNDARY = '-';
const PART = `--${BOUNDARY}\r\ncontent-type: application/json; charset=utf-8\r\n\r\n`;

/**
 * Sends payloads as they become ready, each as a part of a multipart answer
 * (https://github.com/graphql/graphql-wg/blob/main/rfcs/DeferStream.md, in the form `deferSpec=20220824`). Ends early when
 * the connection does.
 */
export async function sendPayloads(
  response: ServerResponse,
  payloads: AsyncGenerator<Payload, void, void>,
): Promise<void> {
  response.writeHead(200, {
    'content-type': `multipart/mixed; boundary="${BOUNDARY}"; deferSpec=20220824`,
    'cache-control': 'private, no-store',
  });
  response.write('\r\n');
  for await (const payload of payloads) {
    if (response.destroyed) return;
    if (!response.write(`${PART}${payloadText(payload)}\r\n`)) await drained(response);
  }
  response.end(`--${BOUNDARY}--\r\n`);
}

/** Resolves when more can be written, or the connection is gone. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    response.once('drain', resolve);
    response.once('close', resolve);
  });
}

/** The JSON text of one payload of an operation with `@defer`. */
export function payloadText(payload: Payload): string {
  if (payload.kind === 'initial') return `{${answerText(payload)},"hasNext":${payload.hasNext}}`;
  const parts = payload.parts.map(({ label, path, ...answer }) => {
    const named = label === undefined ? '' : `,"label":${JSON.stringify(label)}`;
    return `{${answerText(answer)},"path":${JSON.stringify(path)}${named}}`;
  });
  return `{${parts.length > 0 ? `"incremental":[${parts.join(',')}],` : ''}"hasNext":${payload.hasNext}}`;
}

/** The members `errors` and `data` of an answer, as JSON text without braces. */
export function answerText({ dataText, errors }: Answer): string {
  return errors.length === 0
    ? `"data":${dataText}`
    : `"errors":${JSON.stringify(formatErrors(errors))},"data":${dataText}`;
}
