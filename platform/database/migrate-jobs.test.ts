import { cp, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { newId } from '../ids';
import { repositoryRoot } from '../root';
import { createDatabase, dropDatabase, testDatabaseUrl } from '../testing/database';
import { migrate } from './migrate';

const MIGRATIONS = path.join(repositoryRoot(), 'prisma/migrations');
const server = process.env['SAUTI_TEST_SERVER']!;
const name = `sauti_test_${process.pid}_upgrade`;
let url: string;
let client: Client;
let old: string;
beforeAll(async () => {
  await createDatabase(server, name);
  url = testDatabaseUrl(server, name);
  old = await mkdtemp(path.join(os.tmpdir(), 'sauti-migrations-'));
  await cp(path.join(MIGRATIONS, '20261120120000_first'), path.join(old, '20261120120000_first'), { recursive: true });
  await migrate(url, old);
  client = new Client({ connectionString: url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await dropDatabase(server, name);
  await rm(old, { recursive: true });
});

test('jobs from before dependencies and fairness go on: those in the queue are known as handed over, the others have an owner', async () => {
  const [handed, waiting, done] = [newId('job'), newId('job'), newId('job')];
  for (const [id, state] of [
    [handed, 'RUNNING'],
    [waiting, 'QUEUED'],
    [done, 'SUCCEEDED'],
  ])
    await client.query(
      `insert into platform.job (id, kind, owner_id, subject_id, payload, state, priority, max_attempts)
       values ($1, 'TRANSCRIBE', 'usr_1', 'x', '{}', $2::platform.job_state, 5, 3)`,
      [id, state],
    );
  for (const id of [waiting, newId('job')])
    await client.query('insert into platform.job_outbox (job_id) values ($1)', [id]);

  await migrate(url);

  const jobs = await client.query<{ id: string; is_handed: boolean; attempts_given: number }>(
    'select id, handed_at is not null as is_handed, attempts_given from platform.job order by state',
  );
  expect(jobs.rows).toEqual([
    { id: waiting, is_handed: true, attempts_given: 3 },
    { id: handed, is_handed: true, attempts_given: 3 },
    { id: done, is_handed: false, attempts_given: 3 },
  ]);
  const line = await client.query('select job_id, owner_id, priority from platform.job_outbox');
  expect(line.rows).toEqual([{ job_id: waiting, owner_id: 'usr_1', priority: 5 }]);
  const due = await client.query<{ id: string }>('select id from platform.take_due_jobs(4, 100, 3000)');
  expect(due.rows).toEqual([{ id: waiting }]);
});
