import net, { type Socket } from 'node:net';
import { HttpMessages } from './http-messages';

type OnAnswer = (body: Buffer, status: number, latencyMs: number) => void;

/** Connections that one request may take; see {@link LoadConnection.run}. */
const MAX_TRIES = 3;

/** One keep-alive connection to a gateway, with one request under way at a time. */
export class LoadConnection {
  private socket: Socket;
  private onMessage: (body: Buffer, firstLine: string) => void = () => {};
  private onEnd: (reason: string) => void = () => {};

  private constructor(private readonly port: number) {
    this.socket = this.connect();
  }

  /**
   * Connects and has one trivial request answered. Node accepts one connection in a turn of its event loop, so among
   * costly requests the last of 50 would wait for seconds, and that wait is not what the load is to measure.
   */
  static async open(port: number): Promise<LoadConnection> {
    const connection = new LoadConnection(port);
    await connection.run({ query: '{ __typename }', paceMs: 0 }, 0, () => {});
    return connection;
  }

  /**
   * Sends one request after the other until the time is over; resolves with the last answer. A gateway that was held up
   * closes idle connections before it reads what has come over them, so a request whose connection ends is sent again
   * over another, and its time goes on; rejects when that does not help.
   */
  run({ query, paceMs }: { query: string; paceMs: number }, until: number, onAnswer: OnAnswer): Promise<void> {
    const bytes = requestBytes(this.port, query);
    return new Promise((resolve, reject) => {
      let sentAt = 0;
      let tries = 0;
      const send = (): void => {
        sentAt = performance.now();
        tries = 1;
        this.onEnd = (reason) => {
          if (tries === MAX_TRIES) return reject(new Error(reason));
          tries += 1;
          this.socket = this.connect();
          this.socket.write(bytes);
        };
        if (this.socket.destroyed) this.onEnd('closed');
        else this.socket.write(bytes);
      };
      this.onMessage = (body, firstLine) => {
        this.onEnd = () => {};
        const now = performance.now();
        onAnswer(body, Number(firstLine.split(' ')[1]), now - sentAt);
        const waitMs = paceMs - (now - sentAt);
        if (now >= until) resolve();
        else if (waitMs > 0) setTimeout(send, waitMs);
        else send();
      };
      send();
    });
  }

  close(): void {
    this.socket.destroy();
  }

  private connect(): Socket {
    const socket = net.connect({ port: this.port, host: '127.0.0.1', noDelay: true });
    const messages = new HttpMessages((body, firstLine) => this.onMessage(body, firstLine));
    let reason = 'the gateway closed the connection';
    socket.on('data', (chunk) => messages.push(chunk));
    socket.on('error', (error) => (reason = error.message));
    socket.on('close', () => this.onEnd(reason));
    return socket;
  }
}

function requestBytes(port: number, query: string): Buffer {
  const body = JSON.stringify({ query });
  return Buffer.from(
    [
      'POST /graphql HTTP/1.1',
      `host: 127.0.0.1:${port}`,
      'content-type: application/json',
      'accept: application/graphql-response+json, application/json;q=0.9',
      `content-length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  );
}
