import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { repositoryRoot } from '../../platform/root';

const PEERS = ['@apollo/gateway', '@apollo/server', '@graphql-hive/gateway', '@graphql-hive/router-runtime', 'undici'];

/** Installs bench/peers from its lock file, unless that very lock file has been installed already. */
export function installPeers(): void {
  const folder = path.join(repositoryRoot(), 'bench/peers');
  const stamp = path.join(folder, 'node_modules/.sauti-installed');
  const wanted = readFileSync(path.join(folder, 'package-lock.json'), 'utf8');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  process.stderr.write('installing the peers into bench/peers/node_modules (about a minute, once) …\n');
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel', 'error'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
  writeFileSync(stamp, wanted);
}

/** Name and version of each peer, as installed. */
export function peerVersions(): string[] {
  return PEERS.map((name) => {
    const file = path.join(repositoryRoot(), 'bench/peers/node_modules', name, 'package.json');
    const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
    return `${name} ${version}`;
  });
}
