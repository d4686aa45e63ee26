import { answerDistinct } from './distinct';
import { Reservations } from './reservations';
import type { StreamRequest, StreamServices } from './services';
import { answerShared, STREAM_TOKEN_HEADER } from './single-connection';
import type { StreamConnection } from './stream-connection';
import { Wheel } from '../../wheel';

export interface StreamOptions extends Omit<StreamServices, 'reservations' | 'wheels'> {
  /** Between two signs of life on an event stream, in milliseconds; on a multipart stream half of it. Default 10 000. */
  heartbeatMs?: number;
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

export function createStreams({ heartbeatMs = 10_000, ...options }: StreamOptions): Streams {
  const stepMs = heartbeatMs / HEARTBEAT_STEPS;
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
      if (!isOfSingleConnection(asked)) return false;
      await answerShared(services, asked);
      return true;
    },
    answerDistinct: (asked, body) => answerDistinct(services, asked, body),
  };
}

function isOfSingleConnection({ request: { method, headers }, url }: StreamRequest): boolean {
  if (method === 'PUT' || method === 'DELETE') return true;
  return headers[STREAM_TOKEN_HEADER] !== undefined || url.searchParams.has('token');
}
