import {
  servesLanguage,
  UnsupportedLanguageError,
  UnsupportedOptionError,
  type TranscribeOptions,
  type TranscriberInfo,
} from './transcriber';

/** Throws UnsupportedLanguageError or UnsupportedOptionError when a call asks for what the engine does not declare. */
export function refuseUnsupported(info: Omit<TranscriberInfo, 'pieces'>, options: TranscribeOptions): void {
  const { language, languages = [], vocabulary, speakers } = options;
  const unserved = [language, ...languages].find((spoken) => !servesLanguage(info, spoken));
  if (unserved !== undefined) throw new UnsupportedLanguageError(unserved, info.languages);
  if (languages.length > 1 && language === undefined && !info.detectsLanguage)
    throw new UnsupportedOptionError('languages', `${info.id} cannot find out which language is spoken.`);
  if ((vocabulary?.keyterms.length ?? 0) > info.maxKeyterms)
    throw new UnsupportedOptionError('keyterms', `${info.id} can be told at most ${info.maxKeyterms} keyterms.`);
  if (vocabulary?.grammar !== undefined && !info.grammar)
    throw new UnsupportedOptionError('grammar', `${info.id} cannot be held to a grammar.`);
  if (speakers && !info.speakers)
    throw new UnsupportedOptionError('speakers', `${info.id} cannot tell speakers apart.`);
}
