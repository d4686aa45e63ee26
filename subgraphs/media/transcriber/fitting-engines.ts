import {
  EngineUnavailableError,
  servesLanguage,
  UnsupportedLanguageError,
  UnsupportedOptionError,
  type EngineOption,
  type Transcriber,
  type TranscriberInfo,
} from './transcriber';

/** What an engine must be able to do. */
export interface WantedRecognition {
  /** BCP 47 tag of what is spoken. */
  language?: string | undefined;
  /** BCP 47 tags of what may be spoken: the engine must find out which. One alone is the same as `language`. */
  languages?: readonly string[] | undefined;
  /** Only this engine. */
  engineId?: string | undefined;
  /** How many words or sentences it has to be told. */
  keyterms?: number | undefined;
  /** It has to be held to a grammar. */
  grammar?: boolean | undefined;
  /** It has to tell speakers apart. */
  speakers?: boolean | undefined;
  /** It has to recognize while people speak. */
  streaming?: boolean | undefined;
}

/**
 * The engines that could do what is wanted, installed or not, in the order given; never none. Throws
 * EngineUnavailableError for an unknown engine, UnsupportedLanguageError, or UnsupportedOptionError for the first option
 * that leaves no engine.
 */
export function fittingEngines(engines: readonly Transcriber[], wanted: WantedRecognition): Transcriber[] {
  const named = withId(engines, wanted.engineId);
  const spoken = wanted.language != null ? [wanted.language] : (wanted.languages ?? []);
  let fitting = named.filter(({ info }) => spoken.every((language) => servesLanguage(info, language)));
  if (fitting.length === 0) throw unsupportedLanguage(named, spoken);
  for (const { option, fits, wish } of requirements(wanted, spoken)) {
    const able = fitting.filter(({ info }) => fits(info));
    if (able.length === 0) throw unsupportedOption(option, wish, { engines, fitting, fits });
    fitting = able;
  }
  return fitting;
}

interface Requirement {
  option: EngineOption;
  /** What is asked for, to follow "can". */
  wish: string;
  fits: (info: TranscriberInfo) => boolean;
}

function requirements(
  { keyterms = 0, grammar = false, speakers = false, streaming = false }: WantedRecognition,
  spoken: readonly string[],
): Requirement[] {
  const all: Array<Requirement | false> = [
    streaming && { option: 'streaming', wish: 'recognize while people speak', fits: (info) => info.streaming },
    spoken.length > 1 && {
      option: 'languages',
      wish: 'find out which of several languages is spoken',
      fits: (info) => info.detectsLanguage,
    },
    keyterms > 0 && {
      option: 'keyterms',
      wish: `be told ${keyterms} keyterms`,
      fits: (info) => info.maxKeyterms >= keyterms,
    },
    grammar && { option: 'grammar', wish: 'be held to a grammar', fits: (info) => info.grammar },
    speakers && { option: 'speakers', wish: 'tell speakers apart', fits: (info) => info.speakers },
  ];
  return all.filter((requirement) => requirement !== false);
}

function withId(engines: readonly Transcriber[], engineId: string | undefined): readonly Transcriber[] {
  const named = engines.filter(({ info }) => engineId == null || info.id === engineId);
  if (named.length > 0) return named;
  const known = namesOf(engines);
  throw new EngineUnavailableError(`There is no speech engine "${engineId ?? ''}" here. Engines: ${known}.`);
}

function unsupportedLanguage(engines: readonly Transcriber[], spoken: readonly string[]): UnsupportedLanguageError {
  const served = engines.flatMap(({ info }) => info.languages);
  const unserved = spoken.find((language) => !engines.some(({ info }) => servesLanguage(info, language)));
  return new UnsupportedLanguageError(unserved ?? spoken.join('" or "'), served);
}

/** Says which engines could if it were not for the other wishes, and how far those that take the language would go. */
function unsupportedOption(
  option: EngineOption,
  wish: string,
  {
    engines,
    fitting,
    fits,
  }: { engines: readonly Transcriber[]; fitting: readonly Transcriber[] } & Pick<Requirement, 'fits'>,
): UnsupportedOptionError {
  const most = Math.max(...fitting.map(({ info }) => info.maxKeyterms));
  const limit = option === 'keyterms' && most > 0 ? ` At most ${most} can be told.` : '';
  const able = namesOf(engines.filter(({ info }) => fits(info)));
  return new UnsupportedOptionError(
    option,
    `None of the engines that do the rest of what is asked for (${namesOf(fitting)}) can ${wish}.${limit} Engines here that could: ${able}.`,
  );
}

function namesOf(engines: readonly Transcriber[]): string {
  return engines.map(({ info }) => info.id).join(', ') || 'none';
}
