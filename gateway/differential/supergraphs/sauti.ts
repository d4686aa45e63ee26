import { readRepositoryFile } from '../../../platform/root';
import { aHashSupergraph, type HashSupergraph } from './compose';

const SUBGRAPHS = ['users', 'files', 'media', 'translation', 'notification'];

/** Sauti's own supergraph, as it is committed. */
export function sauti(): HashSupergraph {
  const typeDefs = SUBGRAPHS.map((name) => [name, readRepositoryFile(`subgraphs/${name}/schema.graphql`)] as const);
  return aHashSupergraph('sauti', Object.fromEntries(typeDefs), readRepositoryFile('gateway/supergraph.graphql'));
}
