import { existsSync, readdirSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import path from 'node:path';
import { readState, run, SetUpError, timed, writeState } from './run.mjs';

/** Debian packages, and a file that shows that one is there (however it came). */
const ENGINES = [
  { name: 'ffmpeg', isThere: () => isProgram('ffmpeg') && isProgram('ffprobe') },
  {
    name: 'libpocketsphinx3',
    isThere: () => libraryFolders().some((folder) => existsSync(`${folder}/libpocketsphinx.so.3`)),
  },
  { name: 'pocketsphinx-en-us', isThere: () => existsSync('/usr/share/pocketsphinx/model/en-us') },
  // Knows how words are said that the dictionary of PocketSphinx lacks.
  { name: 'espeak-ng', isThere: () => isProgram('espeak-ng') },
  { name: 'apertium', isThere: () => isProgram('apertium') },
  { name: 'apertium-eng-spa', isThere: () => existsSync('/usr/share/apertium/modes/eng-spa.mode') },
  // The recording that `npm run demo` transcribes.
  {
    name: 'asterisk-core-sounds-en-g722',
    isThere: () => existsSync('/usr/share/asterisk/sounds/en_US_f_Allison/conf-extended.g722'),
  },
];

/**
 * For the tests only: what the speaker of the recordings says, recordings of a small vocabulary, a Redis for the queue,
 * and a look at which files a decoder opens.
 */
const TEST_PACKAGES = [
  {
    name: 'asterisk-core-sounds-en',
    isThere: () => existsSync('/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz'),
  },
  { name: 'pocketsphinx-testdata', isThere: () => existsSync('/usr/share/pocketsphinx/test/data/cards/cards.gram') },
  { name: 'alsa-utils', isThere: () => existsSync('/usr/share/sounds/alsa/Front_Center.wav') },
  { name: 'redis-server', isThere: () => isProgram('redis-server') },
  { name: 'strace', isThere: () => isProgram('strace') },
];

const APT_OPTIONS = [
  // Wait for another apt (unattended upgrades, a second clone) instead of failing.
  ...['-o', 'DPkg::Lock::Timeout=500'],
  // Container images leave documentation out, where Debian keeps the texts of the recordings.
  ...['-o', 'DPkg::Options::=--path-include=/usr/share/doc/asterisk-core-sounds-en/*'],
];

/**
 * Speech recognition, translation and media tools: Debian packages, installed with apt as root, or with password-less
 * sudo after asking once. Otherwise the command to paste is printed and Sauti runs without them. Under CI a missing
 * engine is an error, because tests would skip.
 */
export function enginesStep(root, forTests) {
  const packages = forTests ? [...ENGINES, ...TEST_PACKAGES] : ENGINES;
  const missing = () => packages.filter((engine) => !engine.isThere()).map((engine) => engine.name);
  const isCI = process.env.CI === 'true';
  return {
    isDone: () =>
      process.env.SAUTI_SKIP_ENGINES === '1' ||
      missing().length === 0 ||
      (!isCI && readState(root).engines === 'declined'),
    async run() {
      const names = missing();
      const prefix = await aptPrefix(root, names, isCI);
      const problem = prefix ? await install(prefix, names) : null;
      if (prefix && !problem && missing().length === 0) return;
      const advice = `${problem ? `${problem}\n` : ''}Not installed: ${missing().join(' ')}. To install:\n\n  ${commandFor(missing())}\n`;
      if (isCI) throw new SetUpError(advice);
      console.log(prefix === undefined ? `All right, not asked again. ${advice}` : advice);
    },
  };
}

/**
 * The words before `apt-get`: none for root, sudo where it needs no password and the answer is yes. Null when apt cannot
 * be used, undefined when the person said no.
 */
async function aptPrefix(root, names, isCI) {
  if (!isProgram('apt-get')) return null;
  if (process.getuid?.() === 0) return [];
  if (!isProgram('sudo') || (await run('sudo', ['-n', 'true'])).code !== 0) return null;
  const canAsk = process.stdin.isTTY && process.stdout.isTTY;
  if (isCI) return ['sudo', '-n'];
  if (!canAsk) return null;
  if (await ask(`Install ${names.join(', ')} with "sudo apt-get"? [Y/n] `)) return ['sudo', '-n'];
  writeState(root, { engines: 'declined' });
  return undefined;
}

async function ask(question) {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return !/^n/i.test((await terminal.question(question)).trim());
  } finally {
    terminal.close();
  }
}

/** Resolves to null, or to why it did not work. */
async function install(prefix, names) {
  const apt = (...args) => runApt(prefix, [...APT_OPTIONS, ...args]);
  // --reinstall brings back files of a package that was installed without its documentation.
  const installNames = () => apt('install', '-y', '--no-install-recommends', '--reinstall', ...names);
  return timed(`Installing ${names.join(', ')} with apt`, async () => {
    if (!hasPackageLists()) await apt('update');
    let result = await installNames();
    if (result.code !== 0 && /Unable to locate|no installation candidate|404 +Not Found/.test(result.output)) {
      await apt('update');
      result = await installNames();
    }
    return result.code === 0 ? null : `apt-get failed:\n${result.output.trim().split('\n').slice(-8).join('\n')}`;
  });
}

function runApt(prefix, args) {
  // RUNLEVEL=1: Debian's invoke-rc.d then leaves services (redis-server) unstarted; the tests start a Redis of their own.
  const [program, ...rest] = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'RUNLEVEL=1', 'apt-get', ...args];
  return run(program, rest);
}

function commandFor(names) {
  const sudo = process.getuid?.() === 0 ? '' : 'sudo ';
  return isProgram('apt-get')
    ? `${sudo}apt-get update && ${sudo}apt-get install -y --no-install-recommends ${names.join(' ')}`
    : 'use a Debian or Ubuntu system (a container will do): the packages above are theirs';
}

function hasPackageLists() {
  const folder = '/var/lib/apt/lists';
  return existsSync(folder) && readdirSync(folder).some((name) => name.includes('_Packages'));
}

function isProgram(name) {
  return (process.env.PATH ?? '')
    .split(path.delimiter)
    .some((folder) => folder !== '' && existsSync(path.join(folder, name)));
}

function libraryFolders() {
  const triplet = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }[process.arch];
  return [`/usr/lib/${triplet}`, '/usr/lib', '/usr/lib64', '/usr/local/lib'];
}
