import { runSubgraph } from '../../platform/subgraph/run-subgraph';
import { environment } from './environment';
import { createNotificationSubgraph } from './subgraph';

void runSubgraph({ name: 'notification', defaultPort: 4005, create: createNotificationSubgraph }, environment);
