import type { VerifiedToken } from '../../platform/identity/access-token';
import type { Connection, OpenConnection } from './connections';

/** One open connection. There are many thousands: it has no timer and no listener of its own. */
export class Entry implements OpenConnection {
  /** The one in force: that of the last renewal. */
  token: VerifiedToken | null;
  /** Whether its client knows that this token ends soon. */
  isNoticed = false;

  constructor(
    readonly id: string,
    readonly connection: Connection,
    private readonly leave: (entry: Entry) => void,
  ) {
    this.token = connection.token;
  }

  close(): void {
    this.leave(this);
  }
}
