import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { dependenciesStep } from './dependencies.mjs';
import { enginesStep } from './engines.mjs';
import { buildStep, generateStep } from './generate.mjs';
import { SetUpError } from './run.mjs';

/** A holder of the lock that is older than this was frozen or lost; a first set-up takes a few minutes. */
const LOCK_EXPIRES_MS = 30 * 60_000;

/**
 * Does what is missing, in order. Each step looks for itself whether it is done, and leaves its mark only after it is,
 * so that an interrupted one is simply done again. Resolves to the exit code.
 *
 * @param {{ forTests: boolean }} options
 */
export async function setUp({ forTests }) {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const steps = [dependenciesStep(root), enginesStep(root, forTests), generateStep(root), buildStep(root)];
  if (steps.every((step) => step.isDone())) return 0;
  const unlock = await lock(root);
  try {
    for (const step of steps) if (!step.isDone()) await step.run();
    return 0;
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error;
    console.error(`\n${error.message}`);
    return 1;
  } finally {
    unlock();
  }
}

/** Two npm commands in one clone take turns; the second finds the work done. */
async function lock(root) {
  const file = path.join(root, '.sauti/bootstrap.lock');
  mkdirSync(path.dirname(file), { recursive: true });
  for (let told = false; ; await sleep(200)) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (isAbandoned(file)) rmSync(file, { force: true });
    else if (!told) console.log('Another command is setting up this clone; waiting for it …');
    told = true;
  }
  const unlock = () => rmSync(file, { force: true });
  process.once('exit', unlock);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(130));
  return unlock;
}

function isAbandoned(file) {
  if (!existsSync(file)) return false;
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    const ageMs = Date.now() - statSync(file).mtimeMs;
    // An empty file is one that its writer has only just created.
    return ageMs > LOCK_EXPIRES_MS || (pid > 0 ? !isRunning(pid) : ageMs > 1_000);
  } catch {
    return false;
  }
}

/** A zombie counts as gone: in many containers nobody reaps. */
function isRunning(pid) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
  const status = `/proc/${pid}/status`;
  return !(existsSync(status) && /^State:\s+Z/m.test(readFileSync(status, 'utf8')));
}
