import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type ServerOptions, type WebSocket } from 'ws';
import type { SocketRoute } from '../../../../platform/subgraph/subgraph';
import { AudioSocket } from './audio-socket';
import { bearerToken, sessionIn } from './admission';
import { LIVE_PROTOCOL } from './frames';
import type { LiveIngestParts } from './live-ingest';
import type { Outcome } from './outcome';

/** A chunk of the largest size with its number, and room for a token. */
const MAX_MESSAGE_BYTES = 300 * 1024;
/** Fragments of one message, and pieces in which one of its frames may arrive: `ws` keeps each with some overhead. */
const MAX_FRAGMENTS = 1_024;
const MAX_PIECES = 4_096;
/** Time a writer has to answer a close frame, in milliseconds; then its connection is cut. */
const CLOSE_MS = 5_000;

/** `/live/<session>` as a WebSocket; what is said on it is in {@link AudioSocket}. Any page may open one: the token is the right. */
export function socketRoute(parts: LiveIngestParts): SocketRoute {
  const settings: ServerOptions & { closeTimeout: number; maxFragments: number; maxBufferedChunks: number } = {
    noServer: true,
    clientTracking: false,
    maxPayload: MAX_MESSAGE_BYTES,
    maxFragments: MAX_FRAGMENTS,
    maxBufferedChunks: MAX_PIECES,
    perMessageDeflate: false,
    closeTimeout: CLOSE_MS,
    handleProtocols: (offered) => (offered.has(LIVE_PROTOCOL) ? LIVE_PROTOCOL : false),
  };
  const server = new WebSocketServer(settings);
  const open = (socket: WebSocket, request: IncomingMessage, sessionId: string): void => {
    new AudioSocket(socket, sessionId, parts).begin(bearerToken(request.headers.authorization));
  };
  return (request, socket, head, url) => {
    const sessionId = sessionIn(url);
    if (sessionId === null) return false;
    socket.on('error', () => socket.destroy());
    const { refusal } = parts.writers;
    if (refusal) refuse(socket, refusal);
    else server.handleUpgrade(request, socket, head, (accepted) => open(accepted, request, sessionId));
    return true;
  };
}

function refuse(socket: Duplex, { status, problem: { code, message } }: Outcome): void {
  const body = JSON.stringify({ errors: [{ message, extensions: { code } }] });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nretry-after: 2\r\nconnection: close\r\n\r\n${body}`,
  );
}
