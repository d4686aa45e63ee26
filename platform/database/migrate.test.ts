import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { createDatabase, dropDatabase, testDatabaseUrl } from '../testing/database';
import { migrate, migrateQueue, MigrationError } from './migrate';

const server = process.env.SAUTI_TEST_SERVER!;
const name = `sauti_migrate_${process.pid}`;
const url = testDatabaseUrl(server, name);
let folder: string;

beforeEach(async () => {
  await createDatabase(server, name);
  folder = mkdtempSync(path.join(os.tmpdir(), 'sauti-migrate-'));
});

afterEach(async () => {
  await dropDatabase(server, name);
  rmSync(folder, { recursive: true, force: true });
});

test('applies what is missing, in order, and nothing twice', async () => {
  aMigration('2_second', 'insert into answer values (2)');
  aMigration('1_first', 'create table answer (value int)');
  expect(await migrate(url, folder)).toEqual(['1_first', '2_second']);
  expect(await migrate(url, folder)).toEqual([]);
  aMigration('3_third', 'insert into answer values (3)');
  expect(await migrate(url, folder)).toEqual(['3_third']);
  expect(await query('select value from answer order by 1')).toEqual([{ value: 2 }, { value: 3 }]);
});

test('applies a migration once when several processes start together', async () => {
  aMigration('1_first', 'create table answer (value int); insert into answer values (1); select pg_sleep(0.1)');
  const applied = await Promise.all([migrate(url, folder), migrate(url, folder), migrate(url, folder)]);
  expect(applied.flat()).toEqual(['1_first']);
  expect(await query('select value from answer')).toEqual([{ value: 1 }]);
});

test('refuses a migration that was edited after it was applied', async () => {
  aMigration('1_first', 'create table answer (value int);');
  await migrate(url, folder);
  appendFileSync(path.join(folder, '1_first/migration.sql'), '-- better\n');
  await expectProblem('MIGRATION_EDITED', '1_first');
});

test('leaves the database as it was when a migration fails, and applies it once it is repaired', async () => {
  aMigration('1_first', 'create table answer (value int);\ninsert into answr values (1);');
  const problem = await expectProblem('MIGRATION_FAILED', '1_first');
  expect(problem.message).toContain('near line 2');
  expect(problem.message).toContain('answr');
  expect(await query(`select to_regclass('answer') as found`)).toEqual([{ found: null }]);

  aMigration('1_first', 'create table answer (value int);');
  expect(await migrate(url, folder)).toEqual(['1_first']);
});

test('refuses to go on from a migration that the Prisma CLI left unfinished', async () => {
  await migrate(url, folder);
  await query(`insert into _prisma_migrations (id, checksum, migration_name) values ('1', 'x', '1_first')`);
  const problem = await expectProblem('MIGRATION_UNFINISHED', '1_first');
  expect(problem.message).toContain('prisma migrate resolve');
});

test('brings the tables of the queue up once, whoever asks', async () => {
  await Promise.all([migrateQueue(url), migrateQueue(url)]);
  await migrateQueue(url);
  expect(await query(`select to_regclass('bullmq.job')::text as found`)).toEqual([{ found: 'bullmq.job' }]);
});

function aMigration(migration: string, sql: string): void {
  mkdirSync(path.join(folder, migration), { recursive: true });
  writeFileSync(path.join(folder, migration, 'migration.sql'), sql);
}

async function expectProblem(code: MigrationError['code'], migration: string): Promise<MigrationError> {
  const problem: unknown = await migrate(url, folder).catch((error: unknown) => error);
  expect(problem).toBeInstanceOf(MigrationError);
  expect(problem).toMatchObject({ code, migration });
  return problem as MigrationError;
}

async function query(sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}
