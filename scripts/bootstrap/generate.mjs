import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { build, isBuilt } from '../build.mjs';
import { wantedStamp } from './dependencies.mjs';
import { readState, runTool, SetUpError, timed, writeState } from './run.mjs';

/** The database client and the GraphQL types; each again only when what it is made from has changed. */
export function generateStep(root) {
  const generators = [prismaClient(root), graphqlTypes(root)];
  const pending = () => generators.filter((generator) => !isCurrent(root, generator));
  return {
    isDone: () => pending().length === 0,
    async run() {
      const todo = pending();
      await timed(`Generating ${todo.map((generator) => generator.title).join(' and ')}`, async () => {
        const results = await Promise.allSettled(todo.map((generator) => generate(root, generator)));
        const failures = results
          .filter((result) => result.status === 'rejected')
          .map((result) => result.reason.message);
        if (failures.length > 0) throw new SetUpError(failures.join('\n\n'));
      });
    },
  };
}

/** JavaScript in dist/, one file for each TypeScript file. */
export function buildStep(root) {
  return {
    isDone: () => isBuilt(root),
    run: () =>
      timed('Building', async () => {
        await build(root).catch((error) => {
          throw new SetUpError(error.message);
        });
      }),
  };
}

function prismaClient(root) {
  return {
    name: 'prisma',
    title: 'the database client',
    inputs: ['prisma.config.ts', ...list(root, 'prisma/schema', '.prisma')],
    outputs: ['platform/database/prisma-client/client.ts'],
    // Any existing file keeps Prisma from downloading its schema engine, which `generate` does not use.
    run: () =>
      runTool(root, 'prisma/build/index.js', ['generate'], {
        PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
        PRISMA_HIDE_UPDATE_MESSAGE: '1',
        CHECKPOINT_DISABLE: '1',
      }),
  };
}

function graphqlTypes(root) {
  const schemas = list(root, 'subgraphs').map((folder) => `${folder}/schema.graphql`);
  return {
    name: 'graphql',
    title: 'the GraphQL types',
    inputs: ['codegen.ts', 'gateway/supergraph.graphql', ...schemas, ...list(root, 'client/operations', '.graphql')],
    outputs: [
      'client/operations.generated.ts',
      ...schemas.map((file) => file.replace('schema.graphql', 'resolvers-types.generated.ts')),
    ],
    run: () => runTool(root, '@graphql-codegen/cli/cjs/bin.js', ['--config', 'codegen.ts', '--silent']),
  };
}

function isCurrent(root, generator) {
  const { [generator.name]: known } = readState(root);
  return (
    known === fingerprint(root, generator.inputs) &&
    generator.outputs.every((file) => existsSync(path.join(root, file)))
  );
}

async function generate(root, generator) {
  // Taken before the run: a change made meanwhile must lead to another one.
  const print = fingerprint(root, generator.inputs);
  await generator.run();
  writeState(root, { [generator.name]: print });
}

function fingerprint(root, files) {
  const hash = createHash('sha256').update(wantedStamp(root)); // the generators are dependencies too
  for (const file of files) hash.update(`\0${file}\0`).update(readFileSync(path.join(root, file)));
  return hash.digest('hex');
}

function list(root, folder, ending = '') {
  const names = readdirSync(path.join(root, folder)).filter((name) => name.endsWith(ending));
  return names.sort().map((name) => `${folder}/${name}`);
}
