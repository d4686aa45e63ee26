import { runSubgraph } from '../../platform/subgraph/run-subgraph';
import { processEnvironment } from './environment';
import { createFilesSubgraph } from './subgraph';

void runSubgraph({ name: 'files', defaultPort: 4002, create: createFilesSubgraph }, processEnvironment);
