import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { DEEPGRAM_KEY } from './deepgram-peer';
import { LiveDeepgramStream, type StreamFault } from './live-deepgram-stream';
import { must } from './peer';

/** How an upgrade is refused. */
export interface UpgradeRefusal {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

const FIXED: Readonly<Record<string, string>> = {
  ...{ encoding: 'linear16', sample_rate: '16000', channels: '1' },
  ...{ interim_results: 'true', punctuate: 'true', endpointing: 'false', model: 'nova-3' },
};

/**
 * Deepgram's live protocol on the loopback interface, strictly as its reference says it: what a client must not do is kept in
 * `breaches`, and answered as an error.
 */
export class LiveDeepgramPeer implements AsyncDisposable {
  readonly breaches: string[] = [];
  /** The addresses of upgrades, those that were refused too. */
  readonly asked: URL[] = [];
  readonly streams: LiveDeepgramStream[] = [];
  /** What happens to the next upgrades, and to the next streams. */
  readonly refusals: (UpgradeRefusal | 'silence')[] = [];
  readonly faults: StreamFault[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #server: Server = createServer((_request, response) => response.writeHead(404).end());
  readonly #webSockets = new WebSocketServer({ noServer: true });

  /** `silenceLimitMs`: after so much silence a stream is closed. */
  static async open({ silenceLimitMs = 10_000 } = {}): Promise<LiveDeepgramPeer> {
    const peer = new LiveDeepgramPeer(silenceLimitMs);
    await new Promise<void>((resolve) => peer.#server.listen(0, '127.0.0.1', resolve));
    return peer;
  }

  private constructor(private readonly silenceLimitMs: number) {
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const url = new URL(request.url ?? '/', this.url);
    this.asked.push(url);
    const refusal = this.refusals.shift() ?? this.#refusalOf(request, url);
    if (refusal === 'silence') return void socket.on('end', () => socket.end()).resume();
    if (refusal) return void socket.end(written(refusal));
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const fault = this.faults.shift();
      const language = url.searchParams.get('language')!;
      const breach = (error: unknown): void => this.#breach(error);
      const { silenceLimitMs } = this;
      this.streams.push(new LiveDeepgramStream(webSocket, { fault, silenceLimitMs, language, breach }));
    });
  }

  #refusalOf({ headers: { authorization = '' } }: IncomingMessage, url: URL): UpgradeRefusal | null {
    if (authorization !== `Token ${DEEPGRAM_KEY}`)
      return { status: 401, body: '{"err_code":"INVALID_AUTH","err_msg":"Invalid credentials."}' };
    try {
      must(url.pathname === '/v1/listen', '/v1/listen');
      checkQuery(url.searchParams);
      return null;
    } catch (error) {
      this.#breach(error);
      return { status: 400, body: '{"err_code":"Bad Request","err_msg":"Bad Request."}' };
    }
  }

  #breach(error: unknown): void {
    this.breaches.push(error instanceof Error ? error.message : String(error));
  }
}

function checkQuery(query: URLSearchParams): void {
  for (const [name, value] of Object.entries(FIXED)) must(query.getAll(name).join() === value, `${name}=${value}`);
  const known = [...Object.keys(FIXED), 'language', 'keyterm'];
  must(
    [...query.keys()].every((name) => known.includes(name)),
    `only the parameters ${known.join(', ')}`,
  );
  must(query.getAll('language').length === 1, 'one language');
  must(query.getAll('keyterm').length <= 100, 'at most 100 keyterms');
}

function written({ status, headers = {}, body = '' }: UpgradeRefusal): string {
  const all = { 'content-length': String(Buffer.byteLength(body)), connection: 'close', ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return `HTTP/1.1 ${status} Refused\r\n${lines.join('\r\n')}\r\n\r\n${body}`;
}
