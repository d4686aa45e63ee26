import { lstatSync, readFileSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';

/** The unprivileged account a server started by root runs as. */
export interface Account {
  name: string;
  uid: number;
  gid: number;
}

/**
 * Whom postgres must run as, or null for "whoever we are": it refuses to run as root. No account is created:
 * `postgres` where it exists, else `nobody`, which every Unix has.
 */
export function serverAccount(): Account | null {
  if (process.getuid?.() !== 0) return null;
  const accounts = readFileSync('/etc/passwd', 'utf8').split('\n').map(parseAccount);
  const find = (name: string): Account | undefined => accounts.find((account) => account?.name === name) ?? undefined;
  return find('postgres') ?? find('nobody') ?? { name: 'nobody', uid: 65534, gid: 65534 };
}

function parseAccount(line: string): Account | null {
  const [name, , uid, gid] = line.split(':');
  return name && uid && gid ? { name, uid: Number(uid), gid: Number(gid) } : null;
}

/**
 * The first folder on the way to `target` that the account may not enter (a private home, for instance), or null when
 * it can get there. Follows symbolic links.
 */
export function firstClosedFolder(target: string, account: Account): string | null {
  const folders: string[] = [];
  for (let folder = path.dirname(realpathSync(target)); ; folder = path.dirname(folder)) {
    folders.unshift(folder);
    if (folder === path.dirname(folder)) break;
  }
  return folders.find((folder) => !mayPass(folder, account)) ?? null;
}

/** Whether the account may read and run this file, wherever it lies. */
export function mayExecute(file: string, account: Account): boolean {
  return (statSync(file).mode & 0o005) === 0o005 || lstatSync(file).uid === account.uid;
}

function mayPass(folder: string, account: Account): boolean {
  const { mode, uid, gid } = statSync(folder);
  if (uid === account.uid) return (mode & 0o100) !== 0;
  if (gid === account.gid) return (mode & 0o010) !== 0;
  return (mode & 0o001) !== 0;
}
