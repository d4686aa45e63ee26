import { Client } from 'pg';
import type { Logger } from '../logger';

export type NotificationChannel = 'sauti_event' | 'sauti_outbox' | 'sauti_cancel' | 'sauti_live' | 'sauti_mail';
const CHANNELS: readonly NotificationChannel[] = [
  'sauti_event',
  'sauti_outbox',
  'sauti_cancel',
  'sauti_live',
  'sauti_mail',
];

/** How often the connection is asked for a sign of life, and how long the answer may take. */
const HEARTBEAT_MS = 5_000;
const RECONNECT_MS = 500;

/** Called with the payload of a notification, or with undefined when some may have been missed: read the state again. */
export type NotificationHandler = (payload: string | undefined) => void;

/**
 * One LISTEN connection for a whole process. A notification is only a hint to look: after every reconnect each handler
 * is called with `undefined`, because whatever was sent in between is gone.
 */
export class Notifications {
  private readonly handlers = new Map<NotificationChannel, Set<NotificationHandler>>();
  private client: Client | undefined;
  private heartbeat: NodeJS.Timeout | undefined;
  private retry: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(
    private readonly url: string,
    private readonly logger: Logger,
  ) {}

  /** Connects; a failure is retried in the background, so a database that comes up later is no error. */
  async start(): Promise<void> {
    await this.connect();
    this.heartbeat = setInterval(() => void this.checkAlive(), HEARTBEAT_MS);
  }

  /** Calls `handler` for each notification on the channel until the returned function is called. */
  on(channel: NotificationChannel, handler: NotificationHandler): () => void {
    const handlers = this.handlers.get(channel) ?? new Set();
    this.handlers.set(channel, handlers.add(handler));
    return () => handlers.delete(handler);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.closed = true;
    clearInterval(this.heartbeat);
    clearTimeout(this.retry);
    await this.client?.end().catch(() => undefined);
  }

  private async connect(): Promise<void> {
    const client = new Client({
      connectionString: this.url,
      application_name: 'sauti:listen',
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
    });
    client.on('notification', ({ channel, payload }) => this.deliver(channel as NotificationChannel, payload ?? ''));
    client.on('error', (error) => this.lost(client, error));
    client.on('end', () => this.lost(client, undefined));
    try {
      await client.connect();
      await client.query(CHANNELS.map((channel) => `listen ${channel}`).join(';'));
    } catch (error) {
      await client.end().catch(() => undefined);
      this.scheduleReconnect(error);
      return;
    }
    if (this.closed) return void (await client.end().catch(() => undefined));
    this.client = client;
    for (const channel of CHANNELS) this.deliver(channel, undefined);
  }

  private deliver(channel: NotificationChannel, payload: string | undefined): void {
    for (const handler of this.handlers.get(channel) ?? []) handler(payload);
  }

  private lost(client: Client, error: unknown): void {
    if (this.client !== client) return;
    this.client = undefined;
    void client.end().catch(() => undefined);
    this.scheduleReconnect(error);
  }

  private scheduleReconnect(error: unknown): void {
    if (this.closed) return;
    this.logger.warn({ error }, 'the LISTEN connection is gone; reconnecting');
    clearTimeout(this.retry);
    this.retry = setTimeout(() => void this.connect(), RECONNECT_MS);
  }

  /** A half-open connection raises no error by itself; an unanswered query does. */
  private async checkAlive(): Promise<void> {
    const client = this.client;
    if (!client) return;
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<never>(
      (_, reject) => (timer = setTimeout(() => reject(new Error('no answer')), HEARTBEAT_MS)),
    );
    try {
      await Promise.race([client.query('select 1'), limit]);
    } catch (error) {
      this.lost(client, error);
    } finally {
      clearTimeout(timer);
    }
  }
}
