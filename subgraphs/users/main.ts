import { runSubgraph } from '../../platform/subgraph/run-subgraph';
import { privacyEnvironment, processEnvironment } from './environment';
import { createUsersSubgraph } from './subgraph';

void runSubgraph(
  {
    name: 'users',
    defaultPort: 4001,
    create: (platform) => createUsersSubgraph(platform, undefined, privacyEnvironment()),
  },
  processEnvironment,
);
