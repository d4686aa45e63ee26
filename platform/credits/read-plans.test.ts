import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { EnvironmentReader } from '../environment';
import { readPlans } from './read-plans';

const FREE = { id: 'free', name: 'Free', monthlyCredits: 100, maxConcurrentJobs: 1 };

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'sauti-plans-'));
});
afterEach(() => rm(directory, { recursive: true }));

async function read(content: string): Promise<unknown> {
  const file = path.join(directory, 'plans.json');
  await writeFile(file, content);
  return readNamed(file);
}
/** What is read, or the fault that a start would tell. */
function readNamed(file: string | undefined): unknown {
  const reader = new EnvironmentReader({ SAUTI_PLANS: file });
  const plans = readPlans(reader);
  try {
    reader.check();
    return plans;
  } catch (error) {
    return (error as Error).message;
  }
}

test('the plans of the file come in its order; what else it says is left out', async () => {
  const pro = { id: 'pro-1', name: 'Pro', monthlyCredits: 0, maxConcurrentJobs: 10_000 };
  expect(await read(JSON.stringify([{ ...FREE, price: 'none' }, pro]))).toEqual([FREE, pro]);
});

test('without the variable there are none', () => {
  expect(readNamed(undefined)).toBeNull();
});

test.each([
  ['', 'SAUTI_PLANS must name a file with plans'],
  ['{}', 'a list of at least one plan'],
  ['[]', 'a list of at least one plan'],
  ['[null]', 'the "id" of plan 1'],
  [JSON.stringify([{ ...FREE, id: 'Free!' }]), 'the "id" of plan 1'],
  [JSON.stringify([FREE, { ...FREE, name: ' ' }]), 'the "name" of plan 2'],
  [JSON.stringify([FREE, FREE]), 'two plans have the id "free"'],
  [JSON.stringify([{ ...FREE, monthlyCredits: -1 }]), '"monthlyCredits" of plan 1 has to be a whole number from 0'],
  [JSON.stringify([{ ...FREE, monthlyCredits: 1e9 }]), '"monthlyCredits" of plan 1 has to be a whole number from 0'],
  [JSON.stringify([{ ...FREE, monthlyCredits: '5' }]), '"monthlyCredits" of plan 1 has to be a whole number from 0'],
  [
    JSON.stringify([{ ...FREE, maxConcurrentJobs: 0 }]),
    '"maxConcurrentJobs" of plan 1 has to be a whole number from 1',
  ],
])('a file with %s is refused at start', async (content, fault) => {
  expect(await read(content)).toContain(fault);
});

test('a file that is not there is refused at start', () => {
  expect(readNamed(path.join(directory, 'none.json'))).toContain('SAUTI_PLANS must name a file with plans');
});
