import type { IncomingMessage } from 'node:http';
import type { OperationPayload } from '../../operations/operations';
import { HttpError } from '../responses';

const PARAMETERS = ['query', 'operationName', 'variables', 'extensions'] as const;

/** The operation in the parameters of a URL. Throws an `HttpError` with 400 for what is none. */
export function readSearch({ searchParams }: URL): OperationPayload {
  const given: Record<string, unknown> = {};
  for (const name of PARAMETERS) {
    const values = searchParams.getAll(name);
    if (values.length > 1) throw bad(`The parameter ${name} must not be given twice.`);
    if (values[0] !== undefined && values[0] !== '') given[name] = values[0];
  }
  return checkPayload({ ...given, ...parsed(given, 'variables'), ...parsed(given, 'extensions') });
}

/** The operation in a JSON body. Throws an `HttpError` with 400 for what is none. */
export function checkPayload(body: unknown): OperationPayload {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw bad('Send one operation: a JSON object with a query.');
  const { query, operationName, variables, extensions } = body as Record<string, unknown>;
  if (typeof query !== 'string' || query === '') throw missingQuery(extensions);
  if (!isMissing(operationName) && typeof operationName !== 'string') throw bad('operationName must be a string.');
  if (!isMissing(variables) && !isObject(variables)) throw bad('variables must be an object.');
  if (!isMissing(extensions) && !isObject(extensions)) throw bad('extensions must be an object.');
  return { query, operationName: operationName === '' ? null : operationName, variables, extensions };
}

/** With the cursor of the header that an `EventSource` sends by itself, where the operation has none of its own. */
export function withLastEventId(payload: OperationPayload, { headers }: IncomingMessage): OperationPayload {
  const id = headers['last-event-id'];
  if (typeof id !== 'string' || id === '' || !isMissing(payload.extensions?.['cursor'])) return payload;
  // EventSource sends UTF-8, Node reads headers as Latin-1.
  const cursor = Buffer.from(id, 'latin1').toString('utf8');
  return { ...payload, extensions: { ...payload.extensions, cursor } };
}

function missingQuery(extensions: unknown): HttpError {
  // Clients of persisted queries send the document when they read this.
  if (isObject(extensions) && 'persistedQuery' in extensions)
    return new HttpError(400, 'PERSISTED_QUERY_NOT_SUPPORTED', 'PersistedQueryNotSupported');
  return bad('The query is missing: send it as a string that is not empty.');
}

function parsed(given: Record<string, unknown>, name: 'variables' | 'extensions'): Record<string, unknown> {
  if (given[name] === undefined) return {};
  try {
    return { [name]: JSON.parse(given[name] as string) as unknown };
  } catch (cause) {
    throw bad(`The parameter ${name} is not valid JSON.`, cause);
  }
}

function bad(message: string, cause?: unknown): HttpError {
  return new HttpError(400, 'BAD_REQUEST', message, { cause });
}

function isMissing(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
