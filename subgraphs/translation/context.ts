import DataLoader from 'dataloader';
import type { CallIdentity, Viewer } from '../../platform/identity/viewer';
import type { Engines, Translated } from './engines';
import type { PartialTranslations } from './partial-translations';
import type { Translations } from './translations';

export interface TranslationServices {
  engines: Engines;
  translations: Translations;
  partialTranslations: PartialTranslations;
}

/** What one request carries. */
export interface TranslationContext extends TranslationServices {
  viewer: Viewer | null;
  loaders: Loaders;
  signal: AbortSignal;
}

interface Loaders {
  /** For texts that do not change any more: one engine call for all segments of a request that share both languages. */
  segmentTranslation: DataLoader<SegmentText, Translated, string>;
}

/** A segment as the gateway sends it: what the schema's `@requires` asks for. */
export interface SegmentRepresentation {
  id: string;
  text: string;
  language: string;
  state: 'PARTIAL' | 'FINAL' | 'EDITED';
  stableWords: number;
}

interface SegmentText {
  text: string;
  language: string;
  to: string;
}

export function createContext(
  services: TranslationServices,
  identity: CallIdentity,
  signal: AbortSignal,
): TranslationContext {
  return { ...services, viewer: identity.viewer, loaders: createLoaders(services.engines, signal), signal };
}

function createLoaders(engines: Engines, signal: AbortSignal): Loaders {
  return {
    segmentTranslation: new DataLoader((segments) => translateByPair(engines, segments, signal), {
      cacheKeyFn: ({ text, language, to }) => `${language}\n${to}\n${text}`,
    }),
  };
}

/** A pair that fails answers with its error for its own segments only. */
async function translateByPair(
  engines: Engines,
  segments: readonly SegmentText[],
  signal: AbortSignal,
): Promise<(Translated | Error)[]> {
  const pairOf = ({ language, to }: SegmentText): string => `${language}\n${to}`;
  const answers = new Map<SegmentText, Translated | Error>();
  await Promise.all(
    [...new Set(segments.map(pairOf))].map(async (pair) => {
      const group = segments.filter((segment) => pairOf(segment) === pair);
      const { language, to } = group[0]!;
      const texts = group.map(({ text }) => text);
      const translated = await engines
        .translate({ texts, source: language, target: to, signal })
        .catch((error: Error) => group.map(() => error));
      group.forEach((segment, index) => answers.set(segment, translated[index]!));
    }),
  );
  return segments.map((segment) => answers.get(segment)!);
}
