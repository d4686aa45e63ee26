import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { isDatabaseUnavailable } from '../../../platform/errors';
import type { Logger } from '../../../platform/logger';
import { verifyBundle, verifyDownload, type DownloadGrant } from '../../../platform/objects/signed-url';
import type { StoredObjects } from '../../../platform/objects/stored-objects';
import type { ByteRoute } from '../../../platform/subgraph/subgraph';
import type { FileRecords } from '../records';
import { CORS_HEADERS, etagOf, headersOf } from './headers';
import { readRange, type RangeOutcome } from './range';

const METHODS = 'GET, HEAD, OPTIONS';

interface Downloads {
  downloadKey: Buffer;
  records: FileRecords;
  objects: StoredObjects;
  logger: Logger;
}

/**
 * `GET|HEAD /files/<id>?expires&disposition&signature`: the bytes behind a signed link. The link is the whole right; no
 * token is looked at. `/files/<id>/<expires>/<signature>/<name>` reads the object or one of its parts by name. A link that is changed, expired or for an id that never was gets the same 403.
 */
export function downloadRoute(downloads: Downloads): ByteRoute {
  return (request, response, url) => {
    if (!url.pathname.startsWith('/files/')) return false;
    answer(downloads, request, response, url).catch((error: unknown) => fail(downloads.logger, error, response));
    return true;
  };
}

async function answer(
  { downloadKey, records, objects }: Downloads,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  if (request.method === 'OPTIONS') return answerPreflight(response);
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return refuse(response, 405, 'BAD_REQUEST', `A download link takes ${METHODS}.`, { allow: METHODS });
  }
  const grant: (DownloadGrant & { partName?: string }) | null =
    verifyDownload(downloadKey, url) ?? bundleGrant(downloadKey, url);
  if (!grant)
    return refuse(
      response,
      403,
      'FORBIDDEN',
      'This link is not valid or has expired. Ask for a new one with File.download.',
    );
  const { objectId, partName } = grant;
  const file = await (partName === undefined ? records.fileById(objectId) : records.partByName(objectId, partName));
  if (!file) return refuse(response, 404, 'NOT_FOUND', 'The file behind this link has been deleted.');

  const size = Number(file.sizeBytes);
  const headers = headersOf(file, grant);
  const range = request.method === 'GET' ? wantedRange(request, etagOf(file), size) : 'whole';
  if (range === 'unsatisfiable') {
    const message = `The file has ${size} bytes; the requested range lies outside.`;
    return refuse(response, 416, 'BAD_REQUEST', message, { 'content-range': `bytes */${size}` });
  }
  if (request.method === 'HEAD') return void response.writeHead(200, { ...headers, 'content-length': size }).end();
  const part = range === 'whole' ? undefined : range;
  // Looked up before the status is sent: bytes that are not there must not begin as a success.
  const bytes = await objects.read(file.id, part);
  response.writeHead(part ? 206 : 200, { ...headers, ...lengthOf(part, size) });
  await pipeline(bytes, response);
}

/** The right to one of an object's parts; shown in place, because players read them. */
function bundleGrant(downloadKey: Buffer, url: URL): (DownloadGrant & { partName: string }) | null {
  const grant = verifyBundle(downloadKey, url);
  return grant && { ...grant, disposition: 'INLINE', partName: grant.name };
}

/** A range counts only for the bytes the client has begun with (RFC 9110 §13.1.5); a date never names them exactly. */
function wantedRange(request: IncomingMessage, etag: string, size: number): RangeOutcome {
  const ifRange = request.headers['if-range'];
  return ifRange === undefined || ifRange === etag ? readRange(request.headers.range, size) : 'whole';
}

function lengthOf(part: { start: number; end: number } | undefined, size: number): OutgoingHttpHeaders {
  if (!part) return { 'content-length': size };
  return { 'content-length': part.end - part.start + 1, 'content-range': `bytes ${part.start}-${part.end}/${size}` };
}

function answerPreflight(response: ServerResponse): void {
  response.writeHead(204, {
    ...CORS_HEADERS,
    'access-control-allow-methods': METHODS,
    'access-control-allow-headers': 'range, if-range',
    'access-control-max-age': '600',
  });
  response.end();
}

function refuse(
  response: ServerResponse,
  status: number,
  code: string,
  message: string,
  headers: OutgoingHttpHeaders = {},
): void {
  const body = JSON.stringify({ errors: [{ message, extensions: { code } }] });
  response.writeHead(status, {
    ...CORS_HEADERS,
    'cache-control': 'no-store',
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    ...headers,
  });
  response.end(body);
}

function fail(logger: Logger, error: unknown, response: ServerResponse): void {
  if (response.destroyed) return; // the client has left; that is its right
  if (response.headersSent) {
    logger.error({ error }, 'a download broke off');
    return void response.destroy();
  }
  if (isDatabaseUnavailable(error)) {
    const message = 'The database cannot be reached at the moment. Try again in a few seconds.';
    return refuse(response, 503, 'DATABASE_UNAVAILABLE', message, { 'retry-after': '2' });
  }
  logger.error({ error }, 'a download failed');
  refuse(response, 500, 'INTERNAL', 'Something went wrong on our side.');
}
