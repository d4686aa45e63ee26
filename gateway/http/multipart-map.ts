import { Upload } from 'graphql-upload-minimal';
import { HttpError } from './responses';

/** Deeper than any input type; longer paths only cost time. */
const MAX_PATH_SEGMENTS = 20;

/**
 * Puts an `Upload` at each place of `operations` that `map` names. A place must be below `variables`, exist and be
 * null; a file has one place, so that no two readers share a stream. Throws an `HttpError` otherwise.
 */
export function placeUploads(
  operationsText: string,
  mapText: string,
  maxFiles: number,
): { operations: Record<string, unknown>; uploads: Map<string, Upload> } {
  const operations = parseObject('operations', operationsText);
  const entries = Object.entries(parseObject('map', mapText));
  if (entries.length > maxFiles)
    throw new HttpError(413, 'PAYLOAD_TOO_LARGE', `At most ${maxFiles} files are allowed in one request.`);
  const uploads = new Map<string, Upload>();
  for (const [key, paths] of entries) {
    const path: unknown = Array.isArray(paths) && paths.length === 1 ? paths[0] : undefined;
    if (typeof path !== 'string') throw refuse(`The map must give "${key.slice(0, 40)}" a list of exactly one path.`);
    const upload = new Upload();
    place(operations, path, upload);
    uploads.set(key, upload);
  }
  return { operations, uploads };
}

function place(operations: Record<string, unknown>, path: string, upload: Upload): void {
  const segments = path.split('.');
  const last = segments.pop() ?? '';
  if (segments[0] !== 'variables' || segments.length > MAX_PATH_SEGMENTS)
    throw refuse('A path of the map must lead to a place below "variables".');
  let target: unknown = operations;
  for (const segment of segments) target = ownProperty(target, segment);
  if (ownProperty(target, last) !== null)
    throw refuse('A path of the map must lead to a null that no other file takes.');
  (target as Record<string, unknown>)[last] = upload;
}

/** A property the value itself has; anything inherited does not exist here. */
function ownProperty(value: unknown, key: string): unknown {
  const isIndex = Array.isArray(value) && !/^\d{1,4}$/.test(key);
  if (typeof value !== 'object' || value === null || isIndex || key === '__proto__' || !Object.hasOwn(value, key)) {
    throw refuse('A path of the map leads to a place that does not exist.');
  }
  return (value as Record<string, unknown>)[key];
}

function parseObject(name: string, text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refuse(`The field "${name}" is not valid JSON.`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw refuse(`The field "${name}" must be a JSON object.`);
  return value as Record<string, unknown>;
}

function refuse(message: string): HttpError {
  return new HttpError(400, 'BAD_REQUEST', message);
}
