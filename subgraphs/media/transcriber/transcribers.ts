import {
  EngineUnavailableError,
  servesLanguage,
  UnsupportedLanguageError,
  type Probe,
  type Transcriber,
  type TranscriberInfo,
} from './transcriber';

/** The speech engines of this installation, best first. */
export interface Transcribers extends AsyncDisposable {
  /** Every engine with what it can do and whether it can work now. */
  list(): Promise<Array<{ info: TranscriberInfo; probe: Probe }>>;
  /**
   * The first engine that takes the language and is available. `engineId` restricts the choice to that engine.
   * Throws UnsupportedLanguageError (no engine takes it) or EngineUnavailableError (those that do cannot work; with reasons).
   */
  choose(wanted: { language?: string; engineId?: string }): Promise<Transcriber>;
}

/** Takes the engines in order of preference and owns them: disposing the registry disposes each. */
export function createTranscribers(engines: readonly Transcriber[]): Transcribers {
  return {
    list: () => Promise.all(engines.map(async (engine) => ({ info: engine.info, probe: await engine.probe() }))),
    choose: (wanted) => choose(engines, wanted),
    async [Symbol.asyncDispose]() {
      await Promise.all(engines.map((engine) => engine[Symbol.asyncDispose]()));
    },
  };
}

async function choose(
  engines: readonly Transcriber[],
  { language, engineId }: { language?: string; engineId?: string },
): Promise<Transcriber> {
  const allowed = engines.filter(({ info }) => engineId == null || info.id === engineId);
  if (allowed.length === 0) {
    const known = engines.map(({ info }) => info.id).join(', ') || 'none';
    throw new EngineUnavailableError(`There is no speech engine "${engineId ?? ''}" here. Engines: ${known}.`);
  }
  const fitting = allowed.filter(({ info }) => servesLanguage(info, language));
  if (fitting.length === 0) {
    throw new UnsupportedLanguageError(
      language ?? '',
      allowed.flatMap(({ info }) => info.languages),
    );
  }
  const reasons: string[] = [];
  for (const engine of fitting) {
    const probe = await engine.probe();
    if (probe.available) return engine;
    reasons.push(`${engine.info.id}: ${probe.reason}`);
  }
  throw new EngineUnavailableError(`No speech engine is available. ${reasons.join(' ')}`);
}
