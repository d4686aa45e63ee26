import { randomBytes } from 'node:crypto';
import type { StreamConnection } from './stream-connection';

/** Streams that are reserved in one process and that nobody has come for. More means that somebody only reserves. */
const MAX_UNCLAIMED = 1_000;

/** The streams of clients in single connection mode, by the token that names them. */
export class Reservations {
  private readonly connections = new Map<string, StreamConnection>();
  private readonly unclaimed = new Set<StreamConnection>();

  get isFull(): boolean {
    return this.unclaimed.size >= MAX_UNCLAIMED;
  }

  /** Keeps a connection under a token that cannot be guessed. */
  add(connection: StreamConnection): string {
    const token = randomBytes(24).toString('base64url');
    this.connections.set(token, connection);
    this.unclaimed.add(connection);
    return token;
  }

  find(token: string | undefined): StreamConnection | undefined {
    return token === undefined ? undefined : this.connections.get(token);
  }

  /** Its client has come for it. */
  claimed(connection: StreamConnection): void {
    this.unclaimed.delete(connection);
  }

  remove(token: string): void {
    const connection = this.connections.get(token);
    this.connections.delete(token);
    if (connection) this.unclaimed.delete(connection);
  }
}
