import { runSubgraph } from '../../platform/subgraph/run-subgraph';
import { environment } from './environment';
import { createTranslationSubgraph } from './subgraph';

void runSubgraph({ name: 'translation', defaultPort: 4004, create: createTranslationSubgraph }, environment);
