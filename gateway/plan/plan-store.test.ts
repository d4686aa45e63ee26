import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { silentLogger, type Logger } from '../../platform/logger';
import { aPlanner, aRequest } from '../testing/planning';
import { shopSupergraph } from '../testing/shop';
import { filePlanStore } from './plan-store';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'sauti-plans-'));
});
afterEach(() => rm(directory, { recursive: true }));

const SOURCE = '{ me { id: name reviews { text } } }';

test('plans outlive their planner: the next one does not ask its thread', async () => {
  const store = filePlanStore({ directory, logger: silentLogger });
  const first = await aPlanner(shopSupergraph(), { store });
  const plan = await first.planner.plan(aRequest(SOURCE), {});
  await first[Symbol.asyncDispose]();
  const [file] = await readdir(directory);
  expect((await stat(path.join(directory, file!))).mode & 0o077).toBe(0);

  await using second = await aPlanner(shopSupergraph(), {
    store,
    compile: (request, stored) => (expect([...request.clientNames]).toEqual([['client_id', 'id']]), stored),
  });
  expect(await second.planner.plan(aRequest(SOURCE), {})).toEqual(plan);
  expect(second.asked).toEqual([]);
});

test('plans of another supergraph are not taken, and only some supergraphs are kept', async () => {
  const store = filePlanStore({ directory, logger: silentLogger, maxSupergraphs: 2 });
  const asked: number[] = [];
  for (const port of [1, 2, 3]) {
    const running = await aPlanner(shopSupergraph({ accounts: `http://accounts.invalid:${port}/` }), { store });
    await running.planner.plan(aRequest(SOURCE), {});
    await running[Symbol.asyncDispose]();
    asked.push(running.asked.length);
  }
  expect(asked).toEqual([1, 1, 1]);
  expect(await readdir(directory)).toHaveLength(2);
});

test.each([
  ['of another kind', () => 'something else\n'],
  ['cut off', (text: string) => text.slice(0, -10)],
  ['with a line that is no plan', (text: string) => `${text}nothing\n`],
  ['with a plan that is no JSON', (text: string) => text.replace('{"kind"', '{kind')],
])('a file %s is left out, with a line in the log', async (_case, damage) => {
  const warnings: string[] = [];
  const logger: Logger = { ...silentLogger, warn: (_details, message) => void warnings.push(message) };
  const store = filePlanStore({ directory, logger });
  const first = await aPlanner(shopSupergraph(), { store });
  await first.planner.plan(aRequest(SOURCE), {});
  await first[Symbol.asyncDispose]();
  const file = path.join(directory, (await readdir(directory))[0]!);
  const text = await readFile(file, 'utf8');
  await writeFile(file, damage(text));

  const second = await aPlanner(shopSupergraph(), { store, logger });
  await second.planner.plan(aRequest(SOURCE), {});
  await second[Symbol.asyncDispose]();
  expect(second.asked).toHaveLength(1);
  expect(warnings).toHaveLength(1);
  expect(await readFile(file, 'utf8')).toBe(text);
});

test('a directory that cannot be written costs a line in the log and nothing else', async () => {
  const warnings: string[] = [];
  const logger: Logger = { ...silentLogger, warn: (_details, message) => void warnings.push(message) };
  const file = path.join(directory, 'file');
  await writeFile(file, '');
  const running = await aPlanner(shopSupergraph(), { store: filePlanStore({ directory: file, logger }) });
  expect(await running.planner.plan(aRequest(SOURCE), {})).toMatchObject({ kind: 'QueryPlan' });
  await running[Symbol.asyncDispose]();
  expect(warnings).toContain('plans cannot be stored');
});

test('the store is bounded, and what was not used for longest goes first', async () => {
  const stored = async (): Promise<number> =>
    (await readFile(path.join(directory, (await readdir(directory))[0]!), 'utf8')).split('\n').length - 2;
  const store = filePlanStore({ directory, logger: silentLogger, maxPlans: 2 });
  for (const sources of [['{ who }', '{ me { id } }'], ['{ who }', '{ users { id } }'], ['{ who }']]) {
    const running = await aPlanner(shopSupergraph(), { store });
    for (const source of sources) await running.planner.plan(aRequest(source), {});
    await running[Symbol.asyncDispose]();
    expect(await stored()).toBe(2);
    if (sources.length === 1) expect(running.asked).toEqual([]);
  }
});

test('a mutation with text in it is not written down: it may hold a password', async () => {
  const store = filePlanStore({ directory, logger: silentLogger });
  const running = await aPlanner(shopSupergraph(), { store });
  await running.planner.plan(aRequest('mutation { renameUser(id: "u1", name: "geheim") { id } }'), {});
  await running.planner.plan(aRequest('mutation ($n: String!) { renameUser(id: 1, name: $n) { id } }'), { n: 'x' });
  await running[Symbol.asyncDispose]();
  const text = await readFile(path.join(directory, (await readdir(directory))[0]!), 'utf8');
  expect(text.split('\n')).toHaveLength(3);
  expect(text).not.toContain('geheim');
});
