import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { GatewayOptions } from './options';

/** A running gateway. */
export interface Gateway {
  /** Answers one HTTP request; for hosts with a server of their own. Never rejects. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Takes over an HTTP connection that asked for a WebSocket. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Opens a port (0: any free one) with its own server; rejects when the port is taken. */
  listen(port: number, host?: string): Promise<{ server: Server; address: AddressInfo; url: string }>;
  /** Stops accepting, finishes what is in flight within the grace, closes sockets with 1001, then the transports. */
  stop(): Promise<void>;
}

/** Builds a gateway from its parts. Throws when the supergraph cannot be read. */
export async function createGateway(_options: GatewayOptions): Promise<Gateway> {
  throw new Error('Not built yet.');
}
