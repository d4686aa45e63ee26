import { eventStream } from './event-stream';
import { multipartStream } from './multipart';
import type { StreamTransport } from './transport';
import { webSocketStream } from './websocket';

/** Every way in which a client can follow a stream. */
export const TRANSPORTS = {
  websocket: webSocketStream,
  sse: eventStream,
  multipart: multipartStream,
} as const satisfies Record<string, StreamTransport>;

export type TransportName = keyof typeof TRANSPORTS;
export const TRANSPORT_NAMES = Object.keys(TRANSPORTS) as TransportName[];
