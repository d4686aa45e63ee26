import { runSubgraph } from '../../platform/subgraph/run-subgraph';
import { processEnvironment, usersEnvironment } from './environment';
import { createUsersSubgraph } from './subgraph';

void runSubgraph(
  {
    name: 'users',
    defaultPort: 4001,
    create: (platform) => createUsersSubgraph(platform, undefined, usersEnvironment()),
  },
  processEnvironment,
);
