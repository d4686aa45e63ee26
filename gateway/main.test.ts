import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginInlineTraceDisabled } from '@apollo/server/plugin/disabled';
import { startStandaloneServer } from '@apollo/server/standalone';
import { gql } from 'graphql-tag';
import { composeServices } from '@apollo/composition';
import { repositoryRoot } from '../platform/root';
import { waitFor } from '../platform/testing/wait';
import { post } from './testing/gateways';

const REGISTER = path.join(repositoryRoot(), 'platform/testing/register.cjs');
const MAIN = path.join(__dirname, 'main.ts');

interface Started {
  child: ChildProcess;
  output: () => string;
  exited: Promise<number | null>;
}

/** The gateway as the process it is, from its sources. */
function start(args: readonly string[], env: Record<string, string> = {}): Started {
  const child = spawn(process.execPath, ['-r', REGISTER, MAIN, ...args], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: 'pipe',
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { child, output: () => output, exited };
}

let folder: string;
let subgraph: ApolloServer<{ tenant?: string | string[] | undefined }>;
let subgraphUrl: string;
let supergraphFile: string;
beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'sauti-gateway-'));
  supergraphFile = path.join(folder, 'supergraph.graphql');
  const typeDefs = gql`
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key", "@authenticated"])
    type Query {
      hello(name: String!): String
      tenant: String
    }
  `;
  subgraph = new ApolloServer({
    plugins: [ApolloServerPluginInlineTraceDisabled()],
    schema: buildSubgraphSchema({
      typeDefs,
      resolvers: {
        Query: {
          hello: (_: unknown, { name }: { name: string }) => `Hello ${name}`,
          tenant: (_: unknown, _args: unknown, context: unknown) => (context as { tenant?: string }).tenant,
        },
      },
    }),
  });
  const { url } = await startStandaloneServer(subgraph, {
    listen: { port: 0, host: '127.0.0.1' },
    context: async ({ req }) => ({ tenant: req.headers['x-tenant'] }),
  });
  subgraphUrl = url;
  const { supergraphSdl } = composeServices([{ name: 'greeting', url, typeDefs }]);
  writeFileSync(supergraphFile, supergraphSdl!);
});
afterAll(async () => {
  await subgraph.stop();
  rmSync(folder, { recursive: true });
});

test('serves any supergraph file, over subgraphs that know nothing of it, and stops on SIGTERM', async () => {
  const gateway = start(['--supergraph', supergraphFile, '--port', '0']);
  try {
    const url = await waitFor('the address', () => /http:\S+\/graphql/.exec(gateway.output())?.[0]);
    expect(await post(url, 'query ($n: String!) { hello(name: $n) }', { n: 'you' })).toEqual({
      status: 200,
      data: { hello: 'Hello you' },
    });
  } finally {
    gateway.child.kill('SIGTERM');
  }
  expect(await gateway.exited).toBe(0);
});

test('a port in use is named, with the way to choose another', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  const gateway = start(['--supergraph', supergraphFile, '--port', String(port)]);
  expect(await gateway.exited).toBe(1);
  expect(gateway.output()).toContain(`port ${port} is taken`);
  expect(gateway.output()).toContain('--port');
  other.close();
});

test('a missing or broken supergraph is named', async () => {
  const missing = start(['--supergraph', path.join(folder, 'nothing.graphql')]);
  expect(await missing.exited).toBe(1);
  expect(missing.output()).toContain('nothing.graphql');
  writeFileSync(path.join(folder, 'broken.graphql'), 'type Query { a: Int }');
  const broken = start(['--supergraph', path.join(folder, 'broken.graphql')]);
  expect(await broken.exited).toBe(1);
  expect(broken.output()).toContain('could not start');
});

/** Writes a configuration file. */
function aConfig(name: string, text: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
}

test('with --config it composes running subgraphs and follows the settings', async () => {
  const file = aConfig(
    'composed.yaml',
    `
      supergraph: { subgraphs: [{ name: greeting, url: "${subgraphUrl}" }] }
      port: 0
      introspection: false
      limits: { maxAliases: 1 }
      subgraphs: { greeting: { headers: { forward: [x-tenant] } } }
    `,
  );
  const gateway = start(['--config', file]);
  try {
    const url = await waitFor('the address', () => /http:\S+\/graphql/.exec(gateway.output())?.[0]);
    const headers = { 'x-tenant': 'a' };
    expect(await post(url, '{ tenant hello(name: "you") }', {}, { headers })).toEqual({
      status: 200,
      data: { tenant: 'a', hello: 'Hello you' },
    });
    expect((await post(url, '{ __schema { queryType { name } } }')).status).toBe(400);
    expect((await post(url, '{ a: tenant b: tenant }')).errors?.[0]?.extensions.code).toBe('ALIAS_LIMIT');
  } finally {
    gateway.child.kill('SIGTERM');
  }
  expect(await gateway.exited).toBe(0);
});

test.each([
  ['faults in it', 'port: x\nsupergrph: a\n', [/port/, /"supergrph" is unknown; did you mean "supergraph"\?/]],
  [
    'settings for a subgraph that is not there',
    'subgraphs: { greetings: {} }\nsupergraph: ./supergraph.graphql\n',
    [/subgraphs: "greetings" is unknown; did you mean "greeting"\?/],
  ],
  [
    'a subgraph that is not there',
    'supergraph: { subgraphs: [{ name: gone, url: "http://127.0.0.1:1" }] }',
    [/"gone" at http:\/\/127.0.0.1:1/],
  ],
  [
    'a subgraph in this process',
    'subgraphs: { greeting: { transport: in-process } }\nsupergraph: ./supergraph.graphql\n',
    [/"greeting" does not run in this process/],
  ],
])('a configuration with %s ends the start with all that is wrong', async (_, text, messages) => {
  const gateway = start(['--config', aConfig('faulty.yaml', text), '--port', '0']);
  expect(await gateway.exited).toBe(1);
  for (const message of messages) expect(gateway.output()).toMatch(message);
});

test('a supergraph file that changes is taken up; one that breaks is told, and the one before stays', async () => {
  const file = path.join(folder, 'changing.graphql');
  const text = readFileSync(supergraphFile, 'utf8');
  writeFileSync(file, text);
  const gateway = start(['--supergraph', file, '--port', '0']);
  try {
    const url = await waitFor('the address', () => /http:\S+\/graphql/.exec(gateway.output())?.[0]);
    expect((await post(url, '{ __typename }')).data).toEqual({ __typename: 'Query' });
    writeFileSync(file, text.replace(/^\s*tenant: String.*$/m, ''));
    await waitFor('the field to be gone', async () => (await post(url, '{ tenant }')).status === 400);
    writeFileSync(file, 'type Query { broken: Missing }');
    gateway.child.kill('SIGHUP');
    await waitFor('the refusal', () => gateway.output().includes('a new supergraph cannot be served'));
    expect(await post(url, '{ hello(name: "you") }')).toEqual({ status: 200, data: { hello: 'Hello you' } });
    writeFileSync(file, text);
    gateway.child.kill('SIGHUP');
    await waitFor('the field to be back', async () => (await post(url, '{ tenant }')).status === 200);
  } finally {
    gateway.child.kill('SIGTERM');
  }
  expect(await gateway.exited).toBe(0);
});
