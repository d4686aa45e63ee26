import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

let cached: string | undefined;

/**
 * The folder that holds Sauti's package.json. Code runs from its source (jest) and from `dist/` (npm start);
 * schema files, migrations and the supergraph are read from the repository in both cases.
 */
export function repositoryRoot(): string {
  if (cached) return cached;
  for (let directory = __dirname; ; directory = path.dirname(directory)) {
    if (existsSync(path.join(directory, 'supergraph.yaml'))) return (cached = directory);
    if (directory === path.dirname(directory))
      throw new Error(`No supergraph.yaml above ${__dirname}: run Sauti from its own repository.`);
  }
}

/** Reads a text file of the repository, e.g. `readRepositoryFile('subgraphs/users/schema.graphql')`. */
export function readRepositoryFile(relativePath: string): string {
  return readFileSync(path.join(repositoryRoot(), relativePath), 'utf8');
}
