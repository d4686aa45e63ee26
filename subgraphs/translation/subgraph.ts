import type { Lifecycle } from '../../platform/lifecycle';
import type { Logger } from '../../platform/logger';
import { readRepositoryFile } from '../../platform/root';
import { buildSubgraph } from '../../platform/subgraph/build-subgraph';
import type { Subgraph } from '../../platform/subgraph/subgraph';
import { createContext } from './context';
import { Engines } from './engines';
import { createLanguageIdentifier } from './language-identifier';
import { PartialTranslations } from './partial-translations';
import { resolvers } from './resolvers/resolvers';
import { TranslationCache } from './translation-cache';
import { Translations } from './translations';
import type { Translator } from './translator/translator';
import { createTranslators } from './translators';

/**
 * Translation of texts and segments. It keeps nothing, so of the platform it needs the logger only. `now`: see
 * {@link PartialTranslations}.
 */
export function createTranslationSubgraph(
  { logger }: { logger: Logger },
  lifecycle: Lifecycle,
  translators: readonly Translator[] = createTranslators(),
  now?: () => number,
): Subgraph {
  lifecycle.onStop('translation engines', () =>
    Promise.all(translators.map((translator) => translator[Symbol.asyncDispose]())),
  );
  const engines = new Engines(translators, new TranslationCache());
  const services = {
    engines,
    translations: new Translations(engines, createLanguageIdentifier()),
    partialTranslations: new PartialTranslations(engines, now),
  };
  return buildSubgraph({
    name: 'translation',
    typeDefs: readRepositoryFile('subgraphs/translation/schema.graphql'),
    resolvers,
    createContext: ({ identity, signal }) => createContext(services, identity, signal),
    logger,
    ready: async () => undefined,
  });
}
