import { getOperationAST, OperationTypeNode, parse } from 'graphql';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { VerifiedToken } from '../../../platform/identity/access-token';
import type { Connections } from '../../connections/connections';
import type { CurrentGeneration } from '../../generation';
import { parseOptions } from '../../limits';
import type { Asker, Operations } from '../../operations/operations';
import type { GatewayLimits } from '../../options';
import type { ContentTypes } from '../content-types';
import type { OriginPolicy } from '../cors';
import { answerDistinct } from './distinct';
import { Reservations } from './reservations';
import { answerShared, STREAM_TOKEN_HEADER } from './single-connection';
import type { StreamConnection } from './stream-connection';
import { Wheel } from './wheel';

export interface StreamOptions {
  operations: Operations;
  connections: Connections;
  current: CurrentGeneration;
  contentTypes: ContentTypes;
  origins: OriginPolicy;
  limits: GatewayLimits;
  /** Between two signs of life on an event stream, in milliseconds. Twice as often on a multipart stream. Default 10 000. */
  heartbeatMs?: number;
}

/** One request, and who makes it. */
export interface StreamRequest {
  request: IncomingMessage;
  response: ServerResponse;
  url: URL;
  requestId: string;
  token: VerifiedToken | null;
}

/** What the streams of one gateway share. */
export interface StreamServices extends StreamOptions {
  reservations: Reservations;
  /** Those that want a sign of life, by kind. */
  wheels: Record<'events' | 'multipart', Wheel<StreamConnection>>;
}

/** Operations over HTTP whose answers come bit by bit: server-sent events and multipart. */
export interface Streams {
  /**
   * Answers a request of single connection mode: PUT, DELETE, and what names a reserved stream. False for any other.
   * Throws an `HttpError`.
   */
  answerShared(asked: StreamRequest): Promise<boolean>;
  /**
   * Answers an operation with a stream of its own, when that is what its client takes; `body` is the JSON of a POST.
   * False for an operation that is to be answered otherwise, or refused. Throws an `HttpError`.
   */
  answerDistinct(asked: StreamRequest, body: unknown): Promise<boolean>;
}

/** Steps between two signs of life. */
const HEARTBEAT_STEPS = 10;

export function createStreams(options: StreamOptions): Streams {
  const stepMs = (options.heartbeatMs ?? 10_000) / HEARTBEAT_STEPS;
  const visit = (connection: StreamConnection): void => connection.beat();
  const services: StreamServices = {
    ...options,
    reservations: new Reservations(),
    wheels: {
      events: new Wheel({ steps: HEARTBEAT_STEPS, stepMs, visit }),
      multipart: new Wheel({ steps: HEARTBEAT_STEPS / 2, stepMs, visit }),
    },
  };
  return {
    async answerShared(asked) {
      const { method, headers } = asked.request;
      const isShared =
        method === 'PUT' ||
        method === 'DELETE' ||
        headers[STREAM_TOKEN_HEADER] !== undefined ||
        asked.url.searchParams.has('token');
      if (isShared) await answerShared(services, asked);
      return isShared;
    },
    answerDistinct: (asked, body) => answerDistinct(services, asked, body),
  };
}

/** Who asks, as operations want to know it. */
export function askerOf({ request: { headers }, requestId, token }: StreamRequest): Asker {
  return { identity: { viewer: token?.viewer ?? null, requestId }, authorization: headers.authorization, headers };
}

/** The kind of operation that would run; undefined when there is none, or no telling. */
export function operationType(
  { current, limits }: Pick<StreamServices, 'current' | 'limits'>,
  { query, operationName }: { query?: unknown; operationName?: unknown },
): OperationTypeNode | undefined {
  if (typeof query !== 'string') return undefined;
  const name = typeof operationName === 'string' && operationName !== '' ? operationName : undefined;
  try {
    const document = current().documents.known(query) ?? parse(query, parseOptions(limits));
    return getOperationAST(document, name)?.operation;
  } catch {
    return undefined;
  }
}
