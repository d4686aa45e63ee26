import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';

/** Composes subgraph schemas into a supergraph that names the given URLs. Throws with composition's errors. */
export function composeText(schemas: Readonly<Record<string, string>>, urlOf: (name: string) => string): string {
  const result = composeServices(
    Object.entries(schemas).map(([name, schema]) => ({ name, url: urlOf(name), typeDefs: parse(schema) })),
  );
  if (result.errors) throw new Error(`the workload does not compose:\n${result.errors.join('\n')}`);
  return result.supergraphSdl;
}
