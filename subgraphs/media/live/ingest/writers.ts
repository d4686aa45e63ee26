import type { Notifications } from '../../../../platform/database/notifications';
import type { Intake } from './intake';
import { GOING_AWAY, OVERLOADED, type Outcome } from './outcome';

/** A connection that sends audio, to its host: told to go, and waited for. */
export interface Connection {
  /** Says goodbye and stops taking audio; resolves when it is gone. */
  goAway(): Promise<void>;
}

/**
 * Everything in this process that sends audio. Of two writers of one session the later one stays. A writer in another process
 * learns of it by its next chunk, or within 5 s.
 */
export class Writers {
  private readonly connections = new Set<Connection>();
  private readonly bySession = new Map<string, Intake>();
  private readonly unlisten: () => void;
  private stopped: Promise<unknown> | undefined;

  constructor(
    notifications: Notifications,
    private readonly maxConnections: number,
  ) {
    this.unlisten = notifications.on('sauti_live', (sessionId) => this.notice(sessionId));
  }

  /** Why no connection is taken at present; null when one is. */
  get refusal(): Outcome | null {
    if (this.stopped) return GOING_AWAY;
    return this.connections.size < this.maxConnections ? null : OVERLOADED;
  }

  /** Counts a connection until the returned function is called. */
  open(connection: Connection): () => void {
    this.connections.add(connection);
    return () => void this.connections.delete(connection);
  }

  /** Makes it the session's writer here, until the returned function is called. */
  write(intake: Intake): () => void {
    const { sessionId, number } = intake.writer;
    const other = this.bySession.get(sessionId);
    if (other && other.writer.number > number) {
      intake.replace();
    } else {
      this.bySession.set(sessionId, intake);
      other?.replace();
    }
    return () => {
      if (this.bySession.get(sessionId) === intake) this.bySession.delete(sessionId);
    };
  }

  /** Refuses new writers and lets the present ones go; see `Subgraph.closeRoutes`. */
  async stop(): Promise<void> {
    this.stopped ??= Promise.all([...this.connections].map((connection) => connection.goAway()));
    await this.stopped;
    this.unlisten();
  }

  private notice(sessionId: string | undefined): void {
    if (sessionId !== undefined) return this.bySession.get(sessionId)?.notice();
    for (const intake of this.bySession.values()) intake.notice();
  }
}
