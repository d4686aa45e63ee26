import { readRepositoryFile } from '../../platform/root';
import type { Platform } from '../../platform/platform';
import { buildSubgraph } from '../../platform/subgraph/build-subgraph';
import type { Subgraph } from '../../platform/subgraph/subgraph';
import { createContext } from './context';
import { Inbox } from './inbox';
import { Jobs } from './jobs';
import { NotificationRecords, NOTIFICATION_MODELS } from './records';
import { resolvers } from './resolvers/resolvers';

/** What happened: the viewer's inbox, the list of all jobs, and the streams of both. */
export function createNotificationSubgraph(platform: Platform): Subgraph {
  const records = new NotificationRecords(platform.database.slice(NOTIFICATION_MODELS));
  const services = {
    records,
    inbox: new Inbox(records, platform.events),
    jobs: new Jobs(records, platform.events),
  };
  return buildSubgraph({
    name: 'notification',
    typeDefs: readRepositoryFile('subgraphs/notification/schema.graphql'),
    resolvers,
    createContext: ({ identity, signal }) => createContext(services, identity, signal),
    logger: platform.logger,
    ready: () => platform.database.ping(),
  });
}
