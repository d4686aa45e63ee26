import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { repositoryRoot } from '../platform/root';
import { composeSupergraph } from './compose-supergraph';

/**
 * `npm run compose`: writes gateway/supergraph.graphql from supergraph.yaml.
 * With `--check` it writes nothing and fails when the committed file is not what composing gives now; with `--hints` it
 * also prints what composition merely remarks upon, such as descriptions that differ between subgraphs.
 */
function main({ check, hints }: { check: boolean; hints: boolean }): number {
  const composition = composeSupergraph(repositoryRoot());
  if (composition.sdl === null) {
    console.error(`The subgraphs do not compose (${composition.errors.length} problems):\n`);
    for (const error of composition.errors) console.error(`${error}\n`);
    return 1;
  }
  if (hints) for (const hint of composition.hints) console.log(`hint: ${hint}\n`);
  const file = path.join(repositoryRoot(), 'gateway/supergraph.graphql');
  const isCurrent = existsSync(file) && readFileSync(file, 'utf8') === composition.sdl;
  if (check && !isCurrent)
    console.error('gateway/supergraph.graphql is stale. Run "npm run compose" and commit the result.');
  if (!check && !isCurrent) writeFileSync(file, composition.sdl);
  if (!check)
    console.log(isCurrent ? 'gateway/supergraph.graphql is up to date.' : 'gateway/supergraph.graphql was written.');
  return check && !isCurrent ? 1 : 0;
}

process.exitCode = main({ check: process.argv.includes('--check'), hints: process.argv.includes('--hints') });
