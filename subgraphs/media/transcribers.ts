import type { Logger } from '../../platform/logger';
import { probeFfmpeg } from './decoder/ffmpeg';
import { createPocketSphinx } from './transcriber/pocketsphinx/pocketsphinx';
import type { Probe, Transcriber } from './transcriber/transcriber';
import { createTranscribers as createRegistry, type Transcribers } from './transcriber/transcribers';

export type { Transcribers };

/** How long the answer of a probe is good: soon enough after an engine was installed, seldom enough to cost nothing. */
const PROBE_MS = 10_000;

/**
 * The speech engines of this installation, best first. Opens nothing before its first use; whoever calls this disposes it.
 * `concurrency` recordings are recognized at once.
 */
export function createTranscribers(options: { concurrency: number; logger: Logger }): Transcribers {
  const engines = [createPocketSphinx({ maxDecoders: options.concurrency, logger: options.logger })];
  return createRegistry(engines.map((engine) => withLastingProbe(engine, options.logger)));
}

/** An engine hears only what ffmpeg decodes for it, so it is available when both are. */
function withLastingProbe(engine: Transcriber, logger: Logger): Transcriber {
  let last: { probe: Promise<Probe>; at: number } | undefined;
  const look = async (): Promise<Probe> => {
    const [decoder, own] = await Promise.all([probeFfmpeg(), engine.probe()]);
    const probe = decoder.available ? own : { available: false as const, reason: decoder.reason };
    if (!probe.available)
      logger.info({ engine: engine.info.id, reason: probe.reason }, 'a speech engine is not available');
    return probe;
  };
  return {
    ...engine,
    probe() {
      if (!last || performance.now() - last.at > PROBE_MS) last = { probe: look(), at: performance.now() };
      return last.probe;
    },
  };
}
