import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** How a peer treats one call instead of answering it. */
export type Fault =
  | { status: number; headers?: Record<string, string>; body?: string }
  /** Takes the call and never answers. */
  | 'silent'
  /** Sends the head of an answer, a part of its body, and no more. */
  | 'hanging'
  /** Sends a body without an end. */
  | 'endless'
  /** Closes the connection. */
  | 'broken'
  /** A page for people, with status 200. */
  | 'a page'
  /** JSON that stops in the middle. */
  | 'cut off';

export interface Call {
  method: string;
  url: URL;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

export interface Answer {
  status: number;
  json: unknown;
}

/**
 * A server on the loopback interface that stands for a speech service. It answers strictly: what `answer` throws about a
 * call is a breach of the protocol, kept in `breaches` and answered with 400.
 */
export class Peer implements AsyncDisposable {
  /** Calls with a body, in order. */
  readonly calls: Call[] = [];
  readonly breaches: string[] = [];
  /** What happens to the next calls with a body; then they are answered. */
  readonly faults: Fault[] = [];
  /** Calls under way. */
  active = 0;
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((request, response) => void this.#handle(request, response));

  static async open(answer: (call: Call) => Promise<Answer>): Promise<Peer> {
    const peer = new Peer(answer);
    peer.#server.on('connection', (socket) => {
      peer.#sockets.add(socket);
      socket.once('close', () => peer.#sockets.delete(socket));
    });
    await new Promise<void>((resolve) => peer.#server.listen(0, '127.0.0.1', resolve));
    return peer;
  }

  private constructor(private readonly answer: (call: Call) => Promise<Answer>) {}

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

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.active++;
    response.once('close', () => this.active--);
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const { method = '', headers } = request;
      const call = { method, headers, url: new URL(request.url ?? '/', this.url), body: Buffer.concat(chunks) };
      if (method === 'POST') this.calls.push(call);
      const fault = method === 'POST' ? this.faults.shift() : undefined;
      if (fault) fail(fault, response);
      else this.#send(response, await this.answer(call));
    } catch (error) {
      if (request.destroyed && !request.complete) return; // the caller has left
      this.breaches.push(error instanceof Error ? error.message : String(error));
      this.#send(response, { status: 400, json: { error: { code: 'breach' } } });
    }
  }

  #send(response: ServerResponse, { status, json }: Answer): void {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
  }
}

function fail(fault: Fault, response: ServerResponse): void {
  if (fault === 'silent') return;
  if (fault === 'broken') return void response.destroy();
  if (fault === 'a page') return void response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Log in</h1>');
  if (typeof fault === 'object') return void response.writeHead(fault.status, fault.headers).end(fault.body);
  response.writeHead(200, { 'content-type': 'application/json' });
  if (fault === 'cut off') response.end('{"text": "and th');
  if (fault === 'hanging') response.write('{"text": "and th');
  if (fault === 'endless') writeForever(response);
}

function writeForever(response: ServerResponse): void {
  const chunk = Buffer.alloc(1024 * 1024, 32);
  const write = (): void => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', write);
  write();
}

/** Throws, naming what was expected, unless it holds. */
export function must(holds: boolean, expected: string): asserts holds {
  if (!holds) throw new Error(expected);
}
