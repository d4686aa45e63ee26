/** Whisper's languages by BCP 47 tag, with the names its servers answer (openai/whisper, tokenizer.py, LANGUAGES). */
const NAMES: Readonly<Record<string, string>> = {
  en: 'english',
  zh: 'chinese',
  de: 'german',
  es: 'spanish',
  ru: 'russian',
  ko: 'korean',
  fr: 'french',
  ja: 'japanese',
  pt: 'portuguese',
  tr: 'turkish',
  pl: 'polish',
  ca: 'catalan',
  nl: 'dutch',
  ar: 'arabic',
  sv: 'swedish',
  it: 'italian',
  id: 'indonesian',
  hi: 'hindi',
  fi: 'finnish',
  vi: 'vietnamese',
  he: 'hebrew',
  uk: 'ukrainian',
  el: 'greek',
  ms: 'malay',
  cs: 'czech',
  ro: 'romanian',
  da: 'danish',
  hu: 'hungarian',
  ta: 'tamil',
  no: 'norwegian',
  th: 'thai',
  ur: 'urdu',
  hr: 'croatian',
  bg: 'bulgarian',
  lt: 'lithuanian',
  la: 'latin',
  mi: 'maori',
  ml: 'malayalam',
  cy: 'welsh',
  sk: 'slovak',
  te: 'telugu',
  fa: 'persian',
  lv: 'latvian',
  bn: 'bengali',
  sr: 'serbian',
  az: 'azerbaijani',
  sl: 'slovenian',
  kn: 'kannada',
  et: 'estonian',
  mk: 'macedonian',
  br: 'breton',
  eu: 'basque',
  is: 'icelandic',
  hy: 'armenian',
  ne: 'nepali',
  mn: 'mongolian',
  bs: 'bosnian',
  kk: 'kazakh',
  sq: 'albanian',
  sw: 'swahili',
  gl: 'galician',
  mr: 'marathi',
  pa: 'punjabi',
  si: 'sinhala',
  km: 'khmer',
  sn: 'shona',
  yo: 'yoruba',
  so: 'somali',
  af: 'afrikaans',
  oc: 'occitan',
  ka: 'georgian',
  be: 'belarusian',
  tg: 'tajik',
  sd: 'sindhi',
  gu: 'gujarati',
  am: 'amharic',
  yi: 'yiddish',
  lo: 'lao',
  uz: 'uzbek',
  fo: 'faroese',
  ht: 'haitian creole',
  ps: 'pashto',
  tk: 'turkmen',
  nn: 'nynorsk',
  mt: 'maltese',
  sa: 'sanskrit',
  lb: 'luxembourgish',
  my: 'myanmar',
  bo: 'tibetan',
  tl: 'tagalog',
  mg: 'malagasy',
  as: 'assamese',
  tt: 'tatar',
  haw: 'hawaiian',
  ln: 'lingala',
  ha: 'hausa',
  ba: 'bashkir',
  jv: 'javanese',
  su: 'sundanese',
  yue: 'cantonese',
};

/** Whisper writes Javanese with a code of its own. */
const OTHER_TAGS: Readonly<Record<string, string>> = { jw: 'jv' };

const TAGS = new Map(Object.entries(NAMES).map(([tag, name]) => [name, tag]));

/** Tags of everything that multilingual Whisper models understand. */
export const WHISPER_LANGUAGES: readonly string[] = Object.keys(NAMES);

/** The tag for what a Whisper server calls a language: `english`, `English`, `en`, `<|en|>`; null for anything else. */
export function whisperLanguage(answered: string | null | undefined): string | null {
  const name = (answered ?? '')
    .toLowerCase()
    .replace(/^<\|(.*)\|>$/, '$1')
    .trim();
  const tag = TAGS.get(name) ?? OTHER_TAGS[name] ?? name;
  return tag in NAMES ? tag : null;
}

/** What a Whisper model is told for a tag: its primary subtag, in Whisper's spelling. */
export function whisperCode(language: string): string {
  const primary = language.split('-', 1)[0]!.toLowerCase();
  return primary === 'jv' ? 'jw' : primary;
}
