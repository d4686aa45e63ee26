import { randomBytes } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { type Account, firstClosedFolder } from './account';
import { EmbeddedPostgresError } from './errors';

/**
 * The folder that really holds the data. It is `wanted`, except when root runs Sauti from a place the server's account
 * cannot enter (a clone in /root, say): then a folder of its own outside, whose path is written to `wanted/location`
 * so that the next start finds the same data and a deleted clone does not leave its data to the next one.
 */
export function dataFolder(wanted: string, account: Account | null): string {
  mkdirSync(wanted, { recursive: true });
  if (!account) return wanted;
  const marker = path.join(wanted, 'location');
  if (existsSync(marker)) return opened(readFileSync(marker, 'utf8').trim());
  const closed = firstClosedFolder(path.join(wanted, '.'), account);
  if (!closed) return opened(wanted);
  if (existsSync(path.join(wanted, 'cluster'))) {
    throw new EmbeddedPostgresError(
      'NOT_ACCESSIBLE',
      `The database in ${wanted} cannot be reached any more: the server runs as "${account.name}", and ${closed} is private. Run: chmod o+x ${closed}`,
    );
  }
  return opened(rememberLocation(marker));
}

/** Where root keeps data and programs that the server's account must reach; /var/tmp is cleaned after 30 days of disuse. */
export function sharedFolder(): string {
  try {
    accessSync('/var/lib', constants.W_OK);
    return '/var/lib/sauti';
  } catch {
    return '/var/tmp/sauti';
  }
}

/** Writes the marker whole or not at all; whoever starts at the same moment reads the one that was first. */
function rememberLocation(marker: string): string {
  const folder = path.join(sharedFolder(), `database-${randomBytes(6).toString('hex')}`);
  const temporary = `${marker}.${process.pid}`;
  writeFileSync(temporary, `${folder}\n`);
  try {
    linkSync(temporary, marker);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(temporary);
  }
  return readFileSync(marker, 'utf8').trim();
}

function opened(folder: string): string {
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o755);
  return folder;
}
