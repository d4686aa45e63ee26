import { buildSchema, execute, isObjectType, parse, validateSchema, type GraphQLSchema } from 'graphql';
import { QUERIES, type QueryName } from './queries';
import { UNSPLIT_RESOLVERS } from './resolvers';
import { UNSPLIT_SCHEMA } from './schemas';

/** What one schema that was never split answers; every target must answer the same. Throws when it has errors itself. */
export function oracleAnswers(): Record<QueryName, unknown> {
  const schema = unsplitSchema();
  const answer = (query: string): unknown => {
    const result = execute({ schema, document: parse(query) });
    if (!('data' in result) || result.errors) throw new Error(`the oracle does not answer: ${JSON.stringify(result)}`);
    return JSON.parse(JSON.stringify(result.data)) as unknown; // graphql-js makes objects without a prototype
  };
  return { heavy: answer(QUERIES.heavy), mid: answer(QUERIES.mid), small: answer(QUERIES.small) };
}

function unsplitSchema(): GraphQLSchema {
  const schema = buildSchema(UNSPLIT_SCHEMA);
  for (const [typeName, fields] of Object.entries(UNSPLIT_RESOLVERS)) {
    const type = schema.getType(typeName);
    if (!isObjectType(type)) throw new Error(`the unsplit schema has no type ${typeName}`);
    for (const [name, resolve] of Object.entries(fields)) Object.assign(type.getFields()[name] ?? {}, { resolve });
  }
  const problems = validateSchema(schema);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return schema;
}
