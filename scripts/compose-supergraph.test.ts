import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { repositoryRoot } from '../platform/root';
import { composeSupergraph } from './compose-supergraph';

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), 'sauti-compose-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test('the committed supergraph is what the subgraphs compose to', () => {
  const composition = composeSupergraph(repositoryRoot());
  expect(composition.sdl).toBe(readFileSync(path.join(repositoryRoot(), 'gateway/supergraph.graphql'), 'utf8'));
});

test('names the file, the line and the code of what does not compose', () => {
  useSubgraphs({ one: 'type Query { greeting: String }', two: 'type Query {\n  greeting: String @shareable\n}' });
  const error = expect.stringMatching(/INVALID_FIELD_SHARING[^]*one\.graphql:1:14[^]*two\.graphql:2:3/) as string;
  expect(composeSupergraph(root)).toEqual({ sdl: null, errors: [error] });
});

test('names the place of a syntax error', () => {
  useSubgraphs({ one: 'type Query {\n  greeting String\n}' });
  expect(composeSupergraph(root)).toMatchObject({ sdl: null, errors: [expect.stringContaining('one.graphql:2:12')] });
});

test('refuses a federation version that is not the installed one', () => {
  useSubgraphs({ one: 'type Query { greeting: String }' });
  const file = path.join(root, 'supergraph.yaml');
  writeFileSync(file, readFileSync(file, 'utf8').replace(/=2\.\d+\.\d+/, '=2.0.0'));
  expect(composeSupergraph(root)).toMatchObject({ sdl: null, errors: [expect.stringContaining('=2.0.0')] });
});

function useSubgraphs(schemas: Record<string, string>): void {
  cpSync(path.join(repositoryRoot(), 'supergraph.yaml'), path.join(root, 'supergraph.yaml'));
  const version = /federation_version: .*/.exec(readFileSync(path.join(root, 'supergraph.yaml'), 'utf8'))![0];
  const entries = Object.keys(schemas).map(
    (name) => `  ${name}: { routing_url: "http://localhost/${name}", schema: { file: ${name}.graphql } }`,
  );
  writeFileSync(path.join(root, 'supergraph.yaml'), [version, 'subgraphs:', ...entries, ''].join('\n'));
  mkdirSync(root, { recursive: true });
  const link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@shareable"])';
  for (const [name, schema] of Object.entries(schemas))
    writeFileSync(path.join(root, `${name}.graphql`), `${schema}\n${link}\n`);
}
