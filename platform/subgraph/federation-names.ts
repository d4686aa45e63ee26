import { Kind, type DocumentNode } from 'graphql';
import { importedNames, linkArgument, textOf } from '../identity/rules';

/** The name a subgraph's schema gives a directive of federation: as it is imported, or with the prefix of its `@link`. */
export function federationNames(document: DocumentNode): (directive: string) => string {
  for (const node of document.definitions) {
    if (node.kind !== Kind.SCHEMA_DEFINITION && node.kind !== Kind.SCHEMA_EXTENSION) continue;
    for (const link of node.directives ?? []) {
      const url = linkArgument(link, 'url');
      if (!url || !textOf(url).startsWith('https://specs.apollo.dev/federation/')) continue;
      const imported = importedNames(link);
      const alias = linkArgument(link, 'as');
      const prefix = alias ? textOf(alias) : 'federation';
      return (directive) => imported.get(directive) ?? `${prefix}__${directive}`;
    }
  }
  return (directive) => directive;
}
