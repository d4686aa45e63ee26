import { Client } from 'pg';
import { createTestDatabase } from './database';

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

test('gives every caller a migrated database of its own', async () => {
  await using first = await createTestDatabase();
  await using second = await createTestDatabase();
  await query(first.url, 'create table only_here (id int)');

  const seen = `select to_regclass('only_here') is not null as own, to_regclass('platform.job') is not null as migrated, to_regclass('bullmq.job') is not null as queue`;
  expect(await query(first.url, seen)).toEqual([{ own: true, migrated: true, queue: true }]);
  expect(await query(second.url, seen)).toEqual([{ own: false, migrated: true, queue: true }]);
});

test('drops the database although somebody is still connected', async () => {
  const database = await createTestDatabase();
  const client = new Client({ connectionString: database.url });
  client.on('error', () => undefined);
  await client.connect();
  await database.drop();
  await expect(query(database.url, 'select 1')).rejects.toMatchObject({ code: '3D000' });
  await client.end();
});
