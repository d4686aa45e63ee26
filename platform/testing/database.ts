import { randomBytes } from 'node:crypto';
import { Client } from 'pg';

export interface TestDatabase extends AsyncDisposable {
  /** Connection string of an empty database with every table in place. */
  readonly url: string;
  /** Removes it, cutting connections that are still open. A second call does nothing. */
  drop(): Promise<void>;
}

/** A database of its own for one test file (or one test): a copy of the migrated template, under a name used only once. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { SAUTI_TEST_SERVER: server, SAUTI_TEST_TEMPLATE: template } = process.env;
  if (!server || !template)
    throw new Error('createTestDatabase() works only under jest, whose global set-up starts the server.');
  const name = `sauti_test_${process.pid}_${randomBytes(6).toString('hex')}`;
  await createDatabase(server, name, template);
  const drop = (): Promise<void> => dropDatabase(server, name);
  return { url: testDatabaseUrl(server, name), drop, [Symbol.asyncDispose]: drop };
}

/** The same server's connection string for another database. */
export function testDatabaseUrl(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.toString();
}

export async function createDatabase(server: string, name: string, template?: string): Promise<void> {
  await onServer(server, (client) =>
    client.query(`create database "${name}"${template ? ` template "${template}"` : ''}`),
  );
}

export async function dropDatabase(server: string, name: string): Promise<void> {
  await onServer(server, (client) => client.query(`drop database if exists "${name}" with (force)`));
}

async function onServer(url: string, work: (client: Client) => Promise<unknown>): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
