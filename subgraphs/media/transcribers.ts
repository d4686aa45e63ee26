import type { Logger } from '../../platform/logger';
import { probeFfmpeg } from './decoder/ffmpeg';
import type { EngineId, SpeechSettings } from './speech-settings';
import { guarded } from './transcriber/guarded';
import { createLiveEngines as createLiveRegistry, type LiveEngines } from './transcriber/live/live-engines';
import { notConfigured } from './transcriber/not-configured';
import type { InstallationOptions } from './transcriber/pocketsphinx/installation';
import { createLivePocketSphinx } from './transcriber/pocketsphinx/live';
import { createPocketSphinx } from './transcriber/pocketsphinx/pocketsphinx';
import { createDeepgram, deepgramInfo } from './transcriber/remote/deepgram';
import { createLiveDeepgram } from './transcriber/remote/deepgram-live';
import { createOpenAi } from './transcriber/remote/openai';
import { openAiInfo } from './transcriber/remote/openai-settings';
import { createSherpa } from './transcriber/sherpa/sherpa';
import { sherpaInfoWithout } from './transcriber/sherpa/sherpa-info';
import type { Probe, Transcriber } from './transcriber/transcriber';
import { createTranscribers as createRegistry, type Transcribers } from './transcriber/transcribers';

export type { LiveEngines, Transcribers };

/** How long the answer of a probe is good: soon enough after an engine was installed, seldom enough to cost nothing. */
const PROBE_MS = 10_000;

/**
 * The speech engines of this installation in the order of its settings, the remote ones each behind a circuit breaker.
 * Opens nothing before its first use; whoever calls this disposes it. Without settings: PocketSphinx alone. A local engine
 * recognizes at most `concurrency` recordings or pieces at once.
 */
export function createTranscribers(options: {
  settings?: SpeechSettings;
  concurrency: number;
  logger: Logger;
  /** Where PocketSphinx is; default: where Debian puts it. */
  pocketSphinx?: InstallationOptions;
}): Transcribers {
  const { settings = PLAIN, ...rest } = options;
  const { logger } = rest;
  const engines = settings.order.map((id) => {
    const engine = withLastingProbe(openEngine(id, settings, rest), logger);
    return REMOTE.has(id) ? guarded(engine, { logger }) : engine;
  });
  return createRegistry(engines);
}

/**
 * Those of the installation's speech engines that recognize while people speak: the same whose info says `streaming`. Opens
 * nothing before its first use; whoever calls this disposes it.
 */
export function createLiveEngines({
  settings = PLAIN,
  logger,
  pocketSphinx,
}: {
  settings?: SpeechSettings;
  logger: Logger;
  pocketSphinx?: InstallationOptions;
}): LiveEngines {
  const { order, deepgram } = settings;
  return createLiveRegistry([
    ...(order.includes('deepgram') && deepgram ? [createLiveDeepgram(deepgram)] : []),
    ...(order.includes('pocketsphinx') ? [createLivePocketSphinx({ ...pocketSphinx, logger })] : []),
  ]);
}

/**
 * A service that keeps failing fails everybody. A process of ours that keeps dying is killed by the recording it hears:
 * those that wait behind it must not lose their engine.
 */
const REMOTE: ReadonlySet<EngineId> = new Set(['deepgram', 'openai']);

const PLAIN: SpeechSettings = { order: ['pocketsphinx'], deepgram: null, openai: null, sherpa: null };

function openEngine(
  id: EngineId,
  { deepgram, openai, sherpa }: SpeechSettings,
  { concurrency, logger, pocketSphinx }: { concurrency: number; logger: Logger; pocketSphinx?: InstallationOptions },
): Transcriber {
  switch (id) {
    case 'deepgram':
      return deepgram
        ? createDeepgram(deepgram)
        : notConfigured(deepgramInfo({ model: 'nova-3' }), 'Set DEEPGRAM_API_KEY.');
    case 'openai':
      return openai
        ? createOpenAi(openai)
        : notConfigured(openAiInfo(UNKNOWN_SERVER), 'Set OPENAI_SPEECH_URL or OPENAI_SPEECH_API_KEY.');
    case 'sherpa':
      return sherpa
        ? createSherpa(sherpa, { maxProcesses: concurrency })
        : notConfigured(sherpaInfoWithout('a model'), 'Set SPEECH_MODEL_DIR to a folder with a model.');
    case 'pocketsphinx':
      return createPocketSphinx({ ...pocketSphinx, maxDecoders: concurrency, logger });
  }
}

/** What is known of a server that nobody named: nothing, so it can do nothing. */
const UNKNOWN_SERVER = {
  url: 'https://unknown.invalid',
  apiKey: null,
  model: 'unknown',
  wordTimes: false,
  languages: [],
  pieces: { idealMs: 60_000, maxMs: 90_000, parallel: 1 },
  timeoutMs: 0,
};

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
