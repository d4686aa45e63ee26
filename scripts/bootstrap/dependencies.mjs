import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run, SetUpError, timed } from './run.mjs';

/** The npm packages of package-lock.json, exactly. */
export function dependenciesStep(root) {
  const stamp = path.join(root, 'node_modules/.sauti-installed');
  return {
    isDone() {
      const wanted = wantedStamp(root);
      if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return true;
      if (!isInstalled(root)) return false;
      writeFileSync(stamp, wanted); // somebody ran npm install or npm ci; looking costs more than the stamp
      return true;
    },
    async run() {
      await timed('Installing the npm packages, which takes about a minute', () => install(root));
      writeFileSync(stamp, wantedStamp(root));
    },
  };
}

/** Changes with every change of the dependencies, and when the folder travels to another kind of machine. */
export function wantedStamp(root) {
  const lock = readFileSync(path.join(root, 'package-lock.json'));
  return `${createHash('sha256').update(lock).digest('hex')} ${process.platform}-${process.arch}\n`;
}

/** Whether npm's own record of what it installed has everything that package-lock.json asks for. */
function isInstalled(root) {
  const record = path.join(root, 'node_modules/.package-lock.json');
  if (!existsSync(record)) return false;
  const installed = JSON.parse(readFileSync(record, 'utf8')).packages;
  const wanted = Object.entries(JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')).packages);
  return wanted.every(([folder, entry]) => folder === '' || isThere(installed[folder], entry, root, folder));
}

function isThere(found, entry, root, folder) {
  if (found) return found.version === entry.version && existsSync(path.join(root, folder));
  // Optional ones without a platform of their own belong to others that are for another machine.
  return entry.optional === true && !isForThisMachine(entry);
}

function isForThisMachine({ os, cpu, libc }) {
  return os?.includes(process.platform) === true && cpu?.includes(process.arch) === true && !libc?.includes('musl');
}

async function install(root) {
  // --include=dev: the build tools are needed under NODE_ENV=production too. No install script is needed by any package.
  const args = ['ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund'];
  const { code, output } = await runNpm(root, args);
  if (code === 0) return;
  const lines = output.trim().split('\n').slice(-30).join('\n');
  throw new SetUpError(
    `npm ci failed:\n\n${lines}\n\nRepair the cause (network, registry, disk space) and run the same command again.`,
  );
}

/** Runs the npm that runs us, through this very Node; a plain `npm` where we were started without one. */
export function runNpm(root, args) {
  const npm = process.env.npm_execpath;
  if (npm && /npm-cli\.c?js$/.test(npm)) return run(process.execPath, [npm, ...args], { cwd: root });
  return run('npm', args, { cwd: root, shell: process.platform === 'win32' });
}
