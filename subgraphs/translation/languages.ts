import type { TranslatorPair } from './translator/translator';

/** A language that can be translated from or to. */
export interface Language {
  tag: string;
  /** In English. */
  name: string;
  /** In the language itself; the English name or the tag where the Unicode data has none. */
  endonym: string;
  rightToLeft: boolean;
  /** Tags of the languages it can be translated into. */
  targets: string[];
}

/** ISO 15924 codes of the scripts written from right to left that a language of today may use by default. */
const RIGHT_TO_LEFT_SCRIPTS = new Set(['Arab', 'Aran', 'Hebr', 'Syrc', 'Thaa', 'Nkoo', 'Adlm', 'Rohg', 'Mand', 'Samr']);

const ENGLISH_NAMES = new Intl.DisplayNames(['en'], { type: 'language' });

/** The languages of these pairs, ordered by English name. */
export function listLanguages(pairs: readonly TranslatorPair[]): Language[] {
  const tags = new Set(pairs.flatMap(({ source, target }) => [source, target]));
  return [...tags]
    .map((tag) => ({
      tag,
      name: nameOf(tag),
      endonym: new Intl.DisplayNames([tag], { type: 'language' }).of(tag) ?? tag,
      rightToLeft: RIGHT_TO_LEFT_SCRIPTS.has(new Intl.Locale(tag).maximize().script ?? ''),
      targets: [...new Set(pairs.filter(({ source }) => source === tag).map(({ target }) => target))].sort(),
    }))
    .sort((a, b) => a.name.localeCompare(b.name, 'en'));
}

/** English name of a language, e.g. `Brazilian Portuguese`; the tag itself when it has none. */
export function nameOf(tag: string): string {
  return ENGLISH_NAMES.of(tag) ?? tag;
}

/**
 * The known tag that serves a wanted one: itself, or what is left after dropping subtags from the end (RFC 4647 §3.4
 * "lookup"), so `en-US` finds `en`. Null when there is none; `sr-Cyrl` does not find `sr-Latn`.
 */
export function lookUpTag(wanted: string, known: { has(tag: string): boolean }): string | null {
  for (let tag = wanted; tag !== ''; tag = tag.slice(0, Math.max(0, tag.lastIndexOf('-')))) {
    if (known.has(tag)) return tag;
  }
  return null;
}

/** Whether two tags mean the same language in the same script, whatever the region: `en-US` and `en-GB` do. */
export function isSameLanguage(a: string, b: string): boolean {
  const [first, second] = [a, b].map((tag) => new Intl.Locale(tag).maximize().script);
  return new Intl.Locale(a).language === new Intl.Locale(b).language && first === second;
}
