/**
 * Turns every TypeScript file into one JavaScript file in dist/, with source maps; tests are left out. Types are not
 * checked here (that is `npm run typecheck`), so a build takes a fraction of a second. `node scripts/build.mjs` builds.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { wantedStamp } from './bootstrap/dependencies.mjs';

const FOLDERS = ['client', 'demo', 'gateway', 'platform', 'scripts', 'subgraphs', 'worker'];
const LEFT_OUT = new Set(['platform/testing']);
/** What the last build was made from; written when it was complete. */
const MANIFEST = 'dist/.manifest.json';

/** Whether dist/ was built from the files as they are now (by time and size). */
export function isBuilt(root) {
  const built = readManifest(root);
  const now = describeSources(root);
  return (
    Object.keys(built).length === Object.keys(now).length &&
    Object.entries(now).every(([file, state]) => built[file] === state)
  );
}

/** Builds what has changed since the last build, and removes what has lost its source. Throws with esbuild's messages. */
export async function build(root) {
  const built = readManifest(root);
  const now = describeSources(root);
  const all = built.dependencies !== now.dependencies; // another esbuild may write something else
  const changed = sourcesOf(now).filter(
    (file) => all || built[file] !== now[file] || !existsSync(path.join(root, outputOf(file))),
  );
  for (const file of sourcesOf(built)) if (!now[file]) remove(root, file);
  if (changed.length > 0) await transpile(root, changed);
  mkdirSync(path.join(root, 'dist'), { recursive: true });
  writeFileSync(path.join(root, MANIFEST), JSON.stringify(now));
}

async function transpile(root, files) {
  const esbuild = await import('esbuild');
  await esbuild.build({
    absWorkingDir: root,
    entryPoints: files,
    outdir: 'dist',
    outbase: '.',
    bundle: false,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'silent',
  });
}

function readManifest(root) {
  const file = path.join(root, MANIFEST);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
}

/** @returns {Record<string, string>} the state of every source, and of the dependencies under the name `dependencies` */
function describeSources(root) {
  const sources = { dependencies: wantedStamp(root) };
  for (const folder of FOLDERS) collect(root, folder, sources);
  return sources;
}

function collect(root, folder, sources) {
  if (LEFT_OUT.has(folder) || !existsSync(path.join(root, folder))) return;
  for (const entry of readdirSync(path.join(root, folder), { withFileTypes: true })) {
    const file = `${folder}/${entry.name}`;
    if (entry.isDirectory()) collect(root, file, sources);
    else if (/(?<!\.test|\.d)\.ts$/.test(entry.name)) {
      const { mtimeMs, size } = statSync(path.join(root, file));
      sources[file] = `${mtimeMs} ${size}`;
    }
  }
}

function sourcesOf(manifest) {
  return Object.keys(manifest).filter((file) => file !== 'dependencies');
}

function remove(root, file) {
  for (const ending of ['', '.map']) rmSync(path.join(root, outputOf(file) + ending), { force: true });
}

function outputOf(file) {
  return `dist/${file.replace(/\.ts$/, '.js')}`;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await build(fileURLToPath(new URL('..', import.meta.url)));
}
