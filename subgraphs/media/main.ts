import { runSubgraph } from '../../platform/subgraph/run-subgraph';
import { environment } from './environment';
import { createMediaSubgraph } from './subgraph';

void runSubgraph({ name: 'media', defaultPort: 4003, create: createMediaSubgraph }, environment);
