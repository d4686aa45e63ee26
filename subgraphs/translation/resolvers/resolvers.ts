import { scalars } from '../../../platform/subgraph/scalars';
import type { Resolvers } from '../resolvers-types.generated';
import { translateText } from './Mutation/translateText';
import { detectLanguage } from './Query/detectLanguage';
import { languages } from './Query/languages';
import { translationEngines } from './Query/translationEngines';
import { TranscriptSegment } from './TranscriptSegment';

export const resolvers: Resolvers = {
  Query: { languages, detectLanguage, translationEngines },
  Mutation: { translateText },
  TranscriptSegment,
  LanguageTag: scalars.LanguageTag,
};
