import { deriveDownloadKey } from '../../platform/objects/signed-url';
import type { Platform } from '../../platform/platform';
import { readRepositoryFile } from '../../platform/root';
import { buildSubgraph } from '../../platform/subgraph/build-subgraph';
import type { Subgraph } from '../../platform/subgraph/subgraph';
import { createContext } from './context';
import { downloadRoute } from './download/route';
import { Files } from './files';
import { FILES_MODELS, FileRecords } from './records';
import { resolvers } from './resolvers/resolvers';
import { Uploads } from './uploads';

/** Uploads, the viewer's files, and the route that serves their bytes to whoever holds a signed link. */
export function createFilesSubgraph(platform: Platform): Subgraph {
  const records = new FileRecords(platform.database.slice(FILES_MODELS));
  const downloadKey = deriveDownloadKey(platform.secret);
  const services = {
    records,
    files: new Files(records, downloadKey, () => platform.publicUrl()),
    uploads: new Uploads(platform.objects, platform.maxFileBytes),
  };
  return buildSubgraph({
    name: 'files',
    typeDefs: readRepositoryFile('subgraphs/files/schema.graphql'),
    resolvers,
    createContext: ({ identity, signal }) => createContext(services, identity, signal),
    logger: platform.logger,
    byteRoutes: [downloadRoute({ downloadKey, records, objects: platform.objects, logger: platform.logger })],
    ready: () => platform.database.ping(),
  });
}
