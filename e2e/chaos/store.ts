import { Client } from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';

const RETRY_MS = 50;
/** Longer than the database may be away. */
const GIVE_UP_MS = 60_000;

/** A connection that outlives the database: what fails because it went away is done again. */
export class Store implements AsyncDisposable {
  private client: Client | undefined;
  /** Statements are asked one after the other. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly url: string) {}

  /**
   * Runs a statement until it has been answered, for at most a minute. It may then have taken effect twice (committed,
   * but the answer was lost), so it must be one that does nothing the second time. What is wrong with it is thrown.
   */
  query<Row>(text: string, values: unknown[] = []): Promise<Row[]> {
    const rows = this.last.then(() => this.untilAnswered<Row>(text, values));
    this.last = rows.catch(() => undefined);
    return rows;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.disconnect();
  }

  private async untilAnswered<Row>(text: string, values: unknown[]): Promise<Row[]> {
    const deadlineAt = performance.now() + GIVE_UP_MS;
    for (;;) {
      try {
        this.client ??= await connect(this.url);
        return (await this.client.query(text, values)).rows as Row[];
      } catch (error) {
        if (isAboutTheStatement(error) || performance.now() > deadlineAt) throw error;
        await this.disconnect();
        await sleep(RETRY_MS);
      }
    }
  }

  private async disconnect(): Promise<void> {
    const { client } = this;
    this.client = undefined;
    await client?.end().catch(() => undefined);
  }
}

async function connect(connectionString: string): Promise<Client> {
  const client = new Client({ connectionString, application_name: 'sauti:chaos', connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** SQLSTATE classes of connections (08), of operators' interventions (57) and of full servers (53) say that it is away. */
function isAboutTheStatement(error: unknown): boolean {
  const { code } = error as { code?: string };
  // EPIPE and its like have five letters, too.
  return /^(?=.*\d)[0-9A-Z]{5}$/.test(code ?? '') && !/^(08|53|57)/.test(code!);
}
