import http from 'node:http';
import { Readable } from 'node:stream';
import type { Answer } from './gateways';

export interface Part {
  name?: string;
  fileName?: string;
  type?: string;
  body: string | Buffer | AsyncIterable<Buffer>;
}

export const BOUNDARY = 'test-boundary';

/** The bytes of a multipart body, part by part. */
export async function* multipart(parts: readonly Part[], options: { end?: boolean } = {}): AsyncGenerator<Buffer> {
  for (const { name, fileName, type, body } of parts) {
    const file = fileName === undefined ? '' : `; filename="${fileName}"`;
    yield Buffer.from(
      `--${BOUNDARY}\r\ncontent-disposition: form-data; name="${name}"${file}\r\n${type ? `content-type: ${type}\r\n` : ''}\r\n`,
    );
    if (typeof body === 'string' || Buffer.isBuffer(body)) yield Buffer.from(body);
    else yield* body;
    yield Buffer.from('\r\n');
  }
  if (options.end !== false) yield Buffer.from(`--${BOUNDARY}--\r\n`);
}

/** The parts of an upload request whose files fill `variables.f0`, `variables.f1` … or what `map` says. */
export function uploadParts(
  query: string,
  files: Omit<Part, 'name'>[],
  options: { variables?: object; map?: unknown } = {},
): Part[] {
  const nulls = Object.fromEntries(files.map((_, index) => [`f${index}`, null]));
  const map = Object.fromEntries(files.map((_, index) => [String(index), [`variables.f${index}`]]));
  return [
    { name: 'operations', body: JSON.stringify({ query, variables: options.variables ?? nulls }) },
    { name: 'map', body: JSON.stringify(options.map ?? map) },
    ...files.map((file, index) => ({
      fileName: `file-${index}.bin`,
      type: 'application/octet-stream',
      ...file,
      name: String(index),
    })),
  ];
}

export type HttpAnswer = Answer & { status: number };

/** Sends bytes as a multipart request and reads the JSON answer; rejects when the connection breaks first. */
export function sendMultipart(
  url: string,
  bytes: AsyncIterable<Buffer>,
  options: {
    headers?: Record<string, string>;
    signal?: AbortSignal;
    onRequest?: (request: http.ClientRequest) => void;
  } = {},
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, {
      method: 'POST',
      agent: false,
      headers: {
        'content-type': `multipart/form-data; boundary=${BOUNDARY}`,
        'apollo-require-preflight': 'true',
        ...options.headers,
      },
      ...(options.signal ? { signal: options.signal } : {}),
    });
    options.onRequest?.(request);
    request.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, ...(JSON.parse(text) as Answer) }));
      response.on('error', reject);
    });
    request.on('error', reject);
    const body = Readable.from(bytes);
    body.on('error', (error) => request.destroy(error));
    body.pipe(request);
  });
}
