import { fittingEngines, type WantedRecognition } from './fitting-engines';
import { EngineUnavailableError, type Probe, type Transcriber, type TranscriberInfo } from './transcriber';

export type { WantedRecognition };

/** The speech engines of this installation, best first. */
export interface Transcribers extends AsyncDisposable {
  /** Every engine with what it can do and whether it can work now. */
  list(): Promise<Array<{ info: TranscriberInfo; probe: Probe }>>;
  /**
   * The engines that can do what is wanted and are available now, in order of preference; never none. Throws
   * UnsupportedLanguageError or UnsupportedOptionError when no engine could, and EngineUnavailableError, with the reasons,
   * when those that could cannot work now or the engine asked for is unknown.
   */
  candidates(wanted: WantedRecognition): Promise<Transcriber[]>;
  /** The first of {@link candidates}. */
  choose(wanted: WantedRecognition): Promise<Transcriber>;
}

/** Takes the engines in order of preference and owns them: disposing the registry disposes each. */
export function createTranscribers(engines: readonly Transcriber[]): Transcribers {
  const candidates = (wanted: WantedRecognition) => availableOf(fittingEngines(engines, wanted));
  return {
    list: () => Promise.all(engines.map(async (engine) => ({ info: engine.info, probe: await engine.probe() }))),
    candidates,
    choose: async (wanted) => (await candidates(wanted))[0]!,
    async [Symbol.asyncDispose]() {
      await Promise.all(engines.map((engine) => engine[Symbol.asyncDispose]()));
    },
  };
}

async function availableOf(engines: readonly Transcriber[]): Promise<Transcriber[]> {
  const probes = await Promise.all(engines.map((engine) => engine.probe()));
  const available = engines.filter((_, index) => probes[index]!.available);
  if (available.length > 0) return available;
  const reasons = engines.map(({ info }, index) => {
    const probe = probes[index]!;
    return probe.available ? '' : `${info.id}: ${probe.reason}`;
  });
  const waits = probes.flatMap((probe) => (probe.available ? [] : (probe.retryAfterMs ?? [])));
  throw new EngineUnavailableError(`No speech engine is available. ${reasons.join(' ')}`, {
    retryAfterMs: waits.length > 0 ? Math.min(...waits) : undefined,
  });
}
