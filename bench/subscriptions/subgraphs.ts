/** The process that holds both subgraphs: `subgraphs.ts PORT_OF_JOBS PORT_OF_WORDS`. */
import { buildSubgraphSchema } from '@apollo/subgraph';
import { parse } from 'graphql';
import { serveGraphql } from './graphql-server';
import { JobLog } from './job-log';
import { lineResolvers } from './line-resolvers';
import { SUBGRAPH_SCHEMAS, WORD_RESOLVERS } from './workload';

const log = new JobLog();
const entities = { entityCalls: 0, representations: 0 };
const reference = { __resolveReference: ({ id }: { id: string }) => ({ id }) };
const resolvers = {
  jobs: { Subscription: lineResolvers(log), Query: { version: () => '1' } },
  words: { Line: { ...WORD_RESOLVERS, ...reference } },
};
const [jobsPort, wordsPort] = process.argv.slice(2).map(Number);

for (const [name, port] of [
  ['jobs', jobsPort],
  ['words', wordsPort],
] as const) {
  const modules = { typeDefs: parse(SUBGRAPH_SCHEMAS[name]), resolvers: resolvers[name] };
  const schema = buildSubgraphSchema(modules);
  serveGraphql(schema, port!, log, entities);
}
