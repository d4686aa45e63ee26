/**
 * The least that a server of subscriptions must do, written the usual way: one graphql-js schema, async iterators of a
 * pub/sub engine, `useServer` of graphql-ws. `raw-server.ts PORT`.
 */
import { buildSchema, GraphQLObjectType } from 'graphql';
import { serveGraphql } from './graphql-server';
import { JobLog } from './job-log';
import { lineResolvers } from './line-resolvers';
import { RAW_SCHEMA, WORD_RESOLVERS } from './workload';

const log = new JobLog();
const schema = buildSchema(RAW_SCHEMA);
const resolvers: Record<string, Record<string, object>> = {
  Subscription: lineResolvers(log),
  Line: WORD_RESOLVERS,
};
for (const [name, fields] of Object.entries(resolvers)) {
  const type = schema.getType(name);
  if (!(type instanceof GraphQLObjectType)) throw new Error(`${name} is no object type`);
  for (const [field, resolver] of Object.entries(fields))
    Object.assign(type.getFields()[field]!, typeof resolver === 'function' ? { resolve: resolver } : resolver);
}
serveGraphql(schema, Number(process.argv[2]), log, { entityCalls: 0, representations: 0 });
