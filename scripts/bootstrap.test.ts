import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { repositoryRoot } from '../platform/root';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'sauti-bootstrap-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('bootstrap', () => {
  test('generates and builds once, when two commands run at the same moment; then it has nothing to say', async () => {
    aClone();
    const outputs = await Promise.all([bootstrap(), bootstrap()]);
    expect(outputs.map(({ code }) => code)).toEqual([0, 0]);
    expect(outputs.filter(({ output }) => output.includes('Building'))).toHaveLength(1);
    for (const file of [
      'dist/scripts/start.js',
      'client/operations.generated.ts',
      'platform/database/prisma-client/client.ts',
    ]) {
      expect(existsSync(path.join(folder, file))).toBe(true);
    }
    expect(await bootstrap()).toEqual({ code: 0, output: '' });
  });

  test('shows what is wrong with a schema, and goes on once it is repaired, whatever a killed command left', async () => {
    aClone();
    const schema = path.join(folder, 'prisma/schema/users.prisma');
    const good = readFileSync(schema, 'utf8');
    writeFileSync(schema, `${good}\nmodel Broken { id Strin @id }\n`);
    const failed = await bootstrap();
    expect(failed.code).toBe(1);
    expect(failed.output).toContain('model Broken');
    expect(existsSync(path.join(folder, 'dist'))).toBe(false);

    writeFileSync(schema, good);
    writeFileSync(path.join(folder, '.sauti/bootstrap.lock'), String(await aGoneProcess()));
    expect((await bootstrap()).code).toBe(0);
  });

  test('tells what an old Node is missing', async () => {
    const check = pathToFileURL(path.join(repositoryRoot(), 'scripts/bootstrap/node-version.mjs')).href;
    const old = `Object.defineProperty(process.versions, 'node', { value: '18.20.4' }); import('${check}').then((it) => it.requireNode())`;
    expect(await node(['-e', old])).toEqual({
      code: 1,
      output: expect.stringContaining('needs Node.js 20.19') as string,
    });
  });
});

describe('build', () => {
  test('builds what has changed and removes what has lost its source', async () => {
    aProject({
      'worker/one.ts': 'export const one: number = 1;',
      'worker/two.ts': 'export const two = 2;',
      'worker/one.test.ts': 'test',
    });
    await build();
    expect(existsSync(path.join(folder, 'dist/worker/one.test.js'))).toBe(false);
    const before = statSync(path.join(folder, 'dist/worker/one.js')).mtimeMs;

    rmSync(path.join(folder, 'worker/two.ts'));
    aProject({ 'worker/three.ts': 'export const three = 3;' });
    await build();
    expect(existsSync(path.join(folder, 'dist/worker/two.js'))).toBe(false);
    expect(readFileSync(path.join(folder, 'dist/worker/three.js'), 'utf8')).toContain('three');
    expect(statSync(path.join(folder, 'dist/worker/one.js')).mtimeMs).toBe(before);
  });

  test('names the file and the line of a syntax error, and tries again the next time', async () => {
    aProject({ 'worker/one.ts': '\nexport const = 1;' });
    expect((await build()).output).toContain('worker/one.ts:2');
    aProject({ 'worker/one.ts': '\nexport const one = 1;' });
    expect(await build()).toEqual({ code: 0, output: '' });
  });
});

/** This repository's sources in a folder of their own, with the packages that are installed here. */
function aClone(): void {
  const generated = /\.generated\.ts$|prisma-client/;
  for (const name of ['client', 'demo', 'gateway', 'platform', 'prisma', 'scripts', 'subgraphs', 'worker']) {
    cpSync(path.join(repositoryRoot(), name), path.join(folder, name), {
      recursive: true,
      filter: (file) => !generated.test(file),
    });
  }
  for (const name of ['package.json', 'package-lock.json', 'prisma.config.ts', 'codegen.ts', 'tsconfig.json']) {
    cpSync(path.join(repositoryRoot(), name), path.join(folder, name));
  }
  symlinkSync(path.join(repositoryRoot(), 'node_modules'), path.join(folder, 'node_modules'));
}

function aProject(files: Record<string, string>): void {
  for (const [name, text] of Object.entries({ 'package-lock.json': '{}', ...files })) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
}

function bootstrap(): Promise<{ code: number | null; output: string }> {
  return node([path.join(folder, 'scripts/bootstrap.mjs')]);
}

function build(): Promise<{ code: number | null; output: string }> {
  const builder = pathToFileURL(path.join(repositoryRoot(), 'scripts/build.mjs')).href;
  return node(['-e', `import('${builder}').then((it) => it.build(${JSON.stringify(folder)}))`]);
}

async function aGoneProcess(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await new Promise((resolve) => child.once('exit', resolve));
  return child.pid!;
}

function node(args: string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { env: { ...process.env, SAUTI_SKIP_ENGINES: '1' } });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('close', (code) => resolve({ code, output }));
  });
}
