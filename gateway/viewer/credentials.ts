import type { IncomingMessage } from 'node:http';
import { HttpError } from '../http/responses';

/** What a request says to prove who makes it. */
export interface Credentials {
  /** In the form of an Authorization header, wherever it was; undefined without any. */
  authorization: string | undefined;
  /** Whether a browser sent it by itself, and a page of another site may have caused that. */
  isCookie: boolean;
}

/**
 * Finds the credentials of a request: the Authorization header, `X-API-Key`, or the cookie with the access token (null
 * without one, or where cookies do not count). Nothing else is one. Throws an `HttpError`: 400 for two that are not the
 * same, 401 for an `X-API-Key` that is no API key.
 */
export function credentialsOf(request: IncomingMessage, accessCookie: string | null): Credentials {
  const { authorization } = request.headers;
  const found = new Set<string>();
  if (authorization !== undefined) for (const value of valuesOf(request, 'authorization')) found.add(value);
  const apiKey = request.headers['x-api-key'];
  if (apiKey !== undefined) for (const value of valuesOf(request, 'x-api-key')) found.add(bearerOfKey(value));
  const others = found.size;
  if (accessCookie !== null) found.add(`Bearer ${accessCookie}`);
  if (found.size > 1)
    throw new HttpError(
      400,
      'BAD_REQUEST',
      'The request has several different credentials: send one of the Authorization header, X-API-Key and the session cookie.',
    );
  return { authorization: [...found][0], isCookie: others === 0 && accessCookie !== null };
}

function bearerOfKey(key: string): string {
  if (/^sauti_[\w-]+$/.test(key)) return `Bearer ${key}`;
  throw new HttpError(401, 'UNAUTHENTICATED', 'The X-API-Key header must hold an API key: "sauti_…".');
}

/** All values of a header: of some, Node keeps only the first. */
function valuesOf({ rawHeaders }: IncomingMessage, name: string): string[] {
  const values: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2)
    if (rawHeaders[index]!.length === name.length && rawHeaders[index]!.toLowerCase() === name)
      values.push(rawHeaders[index + 1]!);
  return values;
}
