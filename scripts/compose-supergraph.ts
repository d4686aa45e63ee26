import { readFileSync } from 'node:fs';
import path from 'node:path';
import { composeServices } from '@apollo/composition';
import { GraphQLError, parse, printSourceLocation, Source, type DocumentNode } from 'graphql';
import { parse as parseYaml } from 'yaml';

/** What composing `supergraph.yaml` gave: the supergraph, or every reason why there is none. */
export type Composition = { sdl: string; hints: string[] } | { sdl: null; errors: string[] };

interface SupergraphConfig {
  federation_version: string;
  subgraphs: Record<string, { routing_url: string; schema: { file: string } }>;
}

interface SubgraphSchema {
  name: string;
  url: string;
  typeDefs: DocumentNode;
}

/** Composes the subgraphs that `root/supergraph.yaml` names. The same files give the same text, byte for byte. */
export function composeSupergraph(root: string): Composition {
  try {
    const config = readConfig(root);
    const result = composeServices(Object.keys(config.subgraphs).map((name) => readSubgraph(root, name, config)));
    if (result.errors) return { sdl: null, errors: result.errors.map(describeError) };
    return {
      sdl: `${HEADER}\n${result.supergraphSdl.trim()}\n`,
      hints: result.hints.map((hint) => `${hint.definition.code}: ${hint.message}`),
    };
  } catch (error) {
    return { sdl: null, errors: [error instanceof GraphQLError ? describeError(error) : (error as Error).message] };
  }
}

const HEADER = `# Composed from supergraph.yaml by "npm run compose"; do not edit. "npm run check" fails when it is stale.`;

function readConfig(root: string): SupergraphConfig {
  const config = parseYaml(readFileSync(path.join(root, 'supergraph.yaml'), 'utf8')) as SupergraphConfig;
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the version of what is installed, not of what was compiled
  const { version } = require('@apollo/composition/package.json') as { version: string };
  if (config.federation_version !== `=${version}`) {
    throw new Error(
      `supergraph.yaml asks for federation_version ${config.federation_version}, but @apollo/composition ${version} is installed. Make them the same.`,
    );
  }
  return config;
}

function readSubgraph(root: string, name: string, config: SupergraphConfig): SubgraphSchema {
  const { routing_url: url, schema } = config.subgraphs[name]!;
  const text = readFileSync(path.join(root, schema.file), 'utf8');
  return { name, url, typeDefs: parse(new Source(text, schema.file)) };
}

/** The message, its code, and the lines of the schema files it is about. */
function describeError(error: GraphQLError): string {
  const places = (error.nodes ?? []).flatMap((node) => (node.loc ? [printLocation(node)] : []));
  const own =
    places.length === 0 && error.source && error.locations
      ? [printSourceLocation(error.source, error.locations[0]!)]
      : [];
  const code = typeof error.extensions.code === 'string' ? ` (${error.extensions.code})` : '';
  return [`${error.message}${code}`, ...places, ...own].join('\n');
}

function printLocation(node: NonNullable<GraphQLError['nodes']>[number]): string {
  const { source, startToken } = node.loc!;
  return printSourceLocation(source, { line: startToken.line, column: startToken.column });
}
