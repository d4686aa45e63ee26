import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** A step failed for a reason that its message explains; shown without a stack. */
export class SetUpError extends Error {}

/**
 * Runs a program and resolves to its exit code and everything it printed.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} [options]
 * @returns {Promise<{ code: number, output: string }>}
 */
export function run(program, args, options) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    let output = '';
    child.stdout?.on('data', (chunk) => (output += chunk));
    child.stderr?.on('data', (chunk) => (output += chunk));
    child.on('error', (error) => resolve({ code: 127, output: error.message }));
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

/** Runs one of npm's installed command-line programs with this very Node; throws SetUpError with its output. */
export async function runTool(root, script, args, env = {}) {
  const { code, output } = await run(process.execPath, [path.join(root, 'node_modules', script), ...args], {
    cwd: root,
    env: { ...process.env, ...env },
  });
  if (code !== 0) throw new SetUpError(output.trim());
}

/** Says what is being done, and how long it took. */
export async function timed(title, work) {
  const startedAt = performance.now();
  process.stdout.write(`${title} … `);
  try {
    const result = await work();
    process.stdout.write(`${((performance.now() - startedAt) / 1_000).toFixed(1)} s\n`);
    return result;
  } catch (error) {
    process.stdout.write('failed\n');
    throw error;
  }
}

/** What earlier runs did: `.sauti/bootstrap.json`. Losing it costs a little work, never a wrong result. */
export function readState(root) {
  try {
    return JSON.parse(readFileSync(stateFile(root), 'utf8'));
  } catch {
    return {};
  }
}

export function writeState(root, changes) {
  mkdirSync(path.dirname(stateFile(root)), { recursive: true });
  writeFileSync(stateFile(root), `${JSON.stringify({ ...readState(root), ...changes }, null, 2)}\n`);
}

function stateFile(root) {
  return path.join(root, '.sauti/bootstrap.json');
}
