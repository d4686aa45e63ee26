import type { LiveEngine } from './live-decoder';

/** The engines of this installation that recognize while people speak. */
export interface LiveEngines extends AsyncDisposable {
  /** By the id that the engine's info has here and among the transcribers. */
  engine(id: string): LiveEngine | undefined;
}

/** Owns the engines: disposing it disposes each, and ends the calls of decoders that are open. */
export function createLiveEngines(engines: readonly LiveEngine[]): LiveEngines {
  const byId = new Map(engines.map((engine) => [engine.info.id, engine]));
  return {
    engine: (id) => byId.get(id),
    async [Symbol.asyncDispose]() {
      await Promise.all(engines.map((engine) => engine[Symbol.asyncDispose]()));
    },
  };
}
