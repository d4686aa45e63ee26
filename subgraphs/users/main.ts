import { runSubgraph } from '../../platform/subgraph/run-subgraph';
import { environment } from './environment';
import { createUsersSubgraph } from './subgraph';

void runSubgraph({ name: 'users', defaultPort: 4001, create: createUsersSubgraph }, environment);
