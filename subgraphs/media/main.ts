import { runSubgraph } from '../../platform/subgraph/run-subgraph';
import { createTextTranslator } from '../translation/text-translator';
import { createTranslators } from '../translation/translators';
import { environment } from './environment';
import { createMediaSubgraph } from './subgraph';

void runSubgraph(
  {
    name: 'media',
    defaultPort: 4003,
    // Only asked which languages can be translated; the worker translates.
    create: (platform, lifecycle) =>
      createMediaSubgraph(platform, lifecycle, { translator: createTextTranslator(createTranslators()) }),
  },
  environment,
);
