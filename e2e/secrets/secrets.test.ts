import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { Client } from 'pg';
import { describeInBothModes } from '../engines';
import { aPerson, type Person } from '../people';
import { startSystem, type System } from '../system';
import { inwardWords } from './inward';
import { SECRET_PATHS } from './paths';

/** Names of processes whose output is read. */
const PROCESSES = {
  'all in one': ['start'],
  apart: ['users', 'files', 'media', 'translation', 'notification', 'worker', 'gateway'],
};

describeInBothModes('secrets', (mode) => {
  let system: System;
  let amina: Person;

  beforeAll(async () => {
    system = await startSystem(mode, { LOG_LEVEL: 'debug' });
    amina = await aPerson(system.endpoint);
  }, 120_000);
  afterAll(async () => {
    await amina?.[Symbol.asyncDispose]();
    await system?.[Symbol.asyncDispose]();
  }, 60_000);

  test('that are sent on 40 roads are in no answer, log line, table or file, and the answers tell nothing of our inside', async () => {
    expect(SECRET_PATHS.length).toBeGreaterThanOrEqual(40);
    const target = { endpoint: system.endpoint, users: system.address('users'), accessToken: amina.accessToken };
    const ports = [target.endpoint, target.users, system.databaseUrl].map((url) => new URL(url).port);
    const inward: [road: string, words: string[]][] = [];
    const sent = new Map<string, string>();
    for (const road of SECRET_PATHS) {
      const { name } = road;
      const secret = `canary${randomBytes(12).toString('hex')}`;
      sent.set(secret, name);
      const answer = await road.send(secret, target);
      expect([name, answer.includes(secret) && 'is in the answer']).toEqual([name, false]);
      const words = inwardWords(answer, ports);
      if (words.length > 0) inward.push([name, words]);
    }
    expect(inward).toEqual([]);
    const real = { password: amina.password, 'access token': amina.accessToken, 'refresh token': amina.refreshToken };
    for (const [name, secret] of Object.entries(real)) sent.set(secret, `real: ${name}`);
    const found = (text: string): string[] =>
      [...sent].filter(([secret]) => text.includes(secret)).map(([, name]) => name);

    const output = PROCESSES[mode].map((name) => system.process(name).output()).join('\n');
    expect({ in: 'the output of all processes', found: found(output) }).toMatchObject({ found: [] });
    for (const [table, rows] of await everyTable(system.databaseUrl)) {
      expect({ in: table, found: found(rows) }).toEqual({ in: table, found: PLAIN[table] ?? [] });
    }
    for (const file of await everyFile(system.dataDirectory)) {
      expect({ in: file, found: found(await readFile(file, 'latin1')) }).toMatchObject({ found: [] });
    }
  }, 120_000);

  if (mode === 'apart')
    test('an answer tells nothing of our inside while a subgraph is gone', async () => {
      const gone = system.process('users');
      gone.kill('SIGKILL');
      await gone.ended;
      const response = await fetch(system.endpoint, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${amina.accessToken}` },
        body: '{"query":"{ viewer { id } }"}',
      });
      const answer = `${JSON.stringify([...response.headers])} ${await response.text()}`;
      expect(answer).toContain('"errors"');
      expect([answer, inwardWords(answer, [new URL(system.address('users')).port])]).toEqual([answer, []]);
    });
});

/** A secret that somebody gives as the name of a device or program is kept as that: nobody can tell. */
const PLAIN: Readonly<Record<string, string[]>> = {};

/** Each table of the database, with all its rows as text. */
async function everyTable(url: string): Promise<[table: string, rows: string][]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
        where table_schema not in ('pg_catalog', 'information_schema') and table_type = 'BASE TABLE'`,
    );
    const tables: [string, string][] = [];
    for (const { name } of rows) {
      const all = await client.query<{ rows: string | null }>(
        `select string_agg(t::text, E'\n') as rows from ${name} t`,
      );
      tables.push([name, all.rows[0]?.rows ?? '']);
    }
    return tables;
  } finally {
    await client.end();
  }
}

async function everyFile(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
}
