import { bareWord } from './tokens';

/**
 * Words that are masked, by primary language subtag. A list of our own: those that are published either fight people who
 * hide words (`obscenity` finds them inside other words) or call people, peoples and harmless things rude as well (`cuss`
 * has `stupid`, `welfare`, `mzungu` and `haji` among its surest). A recognizer writes whole words, in one spelling.
 */
const RUDE: Readonly<Record<string, string>> = {
  en: `arse(hole)?s? ass ass(es|hole|holes) bastards? bitch(es|ing|y|ed)? blowjobs? bollocks bugger(s|ed|ing)? cocksuck(er|ers|ing) cunts?
    (bull|horse|bat)?shit(s|ty|tier|tiest|ting|ted|ter|head|heads|hole|holes)? (mother|cluster|un)?fuck(s|ed|er|ers|ing|in|wit|wits)? dickheads?
    dumbass(es)? fag(got)?s? god-?damn(ed|it)? jackass(es)? niggers? niggas? piss(es|ed|ing)? pussy pussies sluts? slutty twats? wank(s|ed|er|ers|ing)? whores?`,
  es: 'cabr[oó]n(es|a|as)? coño cojones gilipollas joder jodid[oa]s? mierdas? pendej[oa]s? put[oa]s? chinga(r|da|do|das|dos)? verga',
  fr: 'bordel conn(ard|ards|asse|asses|erie|eries) cons? encul(é|és|ée|er) foutre merdes? merdique putains? putes? salopes? salauds? niqu(e|er|é)',
  pt: 'caralho foder fodid[oa]s? foda(-se)? merdas? porra putas? viados? bucetas?',
  de: 'arsch arsch(loch|löcher) fick(en|t|er)? gefickt fotzen? huren(sohn|söhne) schei(ß|ss)e? wichser',
  it: 'cazz[oi] coglion[ei] (vaf)?fanculo merda merdos[oi] puttan[ae] stronz[oiae] troi[ae]',
  sw: 'kuma mavi malaya msenge mkundu',
};

const WORDS: ReadonlyMap<string, RegExp> = new Map(
  Object.entries(RUDE).map(([language, words]) => [language, new RegExp(`^(${words.split(/\s+/).join('|')})$`, 'u')]),
);

/** The word with stars behind its first letter when it is rude in the language (a BCP 47 tag); punctuation and case stay. */
export function maskedWord(word: string, language: string): string {
  const rude = WORDS.get(language.split('-', 1)[0]!.toLowerCase());
  if (!rude?.test(bareWord(word).replace(/['’]s$/, ''))) return word;
  let isFirst = true;
  return word.replace(/['’]s\b|\p{L}/gu, (part) => {
    if (part.length > 1) return part;
    const letter = isFirst ? part : '*';
    isFirst = false;
    return letter;
  });
}
