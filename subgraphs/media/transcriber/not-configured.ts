import { EngineUnavailableError, type Transcriber, type TranscriberInfo } from './transcriber';

/** Stands for an engine that was asked for but lacks its settings, so that `mediaEngines` tells which. */
export function notConfigured(info: TranscriberInfo, reason: string): Transcriber {
  return {
    info,
    probe: async () => ({ available: false, reason }),
    async *transcribe() {
      throw new EngineUnavailableError(reason);
    },
    [Symbol.asyncDispose]: async () => {},
  };
}
