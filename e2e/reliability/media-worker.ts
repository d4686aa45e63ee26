import { Dispatcher } from '../../platform/jobs/dispatcher';
import { JobRunner } from '../../platform/jobs/job-runner';
import { createJobQueue } from '../../platform/jobs/queue';
import { Lifecycle } from '../../platform/lifecycle';
import { createLogger } from '../../platform/logger';
import { openPlatform } from '../../platform/platform';
import { createMediaHandlers } from '../../subgraphs/media/jobs/handlers';
import type { SpeechSettings } from '../../subgraphs/media/speech-settings';
import { createTranscribers } from '../../subgraphs/media/transcribers';
import { createTextTranslator } from '../../subgraphs/translation/text-translator';
import { readWorkerEnvironment } from '../../worker/environment';

/** What a test may set that the environment of the real worker cannot say; as JSON in MEDIA_WORKER. */
export interface MediaWorkerOptions {
  /** The script that PocketSphinx's processes run. */
  childFile?: string;
  /** See `DecodeOptions.stuckAfterMs`. */
  stuckAfterMs?: number;
  settings?: SpeechSettings;
}

/** The worker of `worker/main.ts`, of which only jobs are needed here, with engines and limits as a test wants them. */
async function main({ childFile, stuckAfterMs, settings }: MediaWorkerOptions): Promise<void> {
  const environment = readWorkerEnvironment();
  const { concurrency, maxConcurrentJobs } = environment;
  const logger = createLogger({ name: 'media-worker', level: environment.logLevel });
  const lifecycle = new Lifecycle(logger);
  const applicationName = 'sauti:media-worker';
  const platform = await openPlatform({ environment, lifecycle, logger, applicationName, publicUrl: () => '' });
  const queue = createJobQueue({ databaseUrl: platform.database.url, redisUrl: undefined, logger });
  new Dispatcher(platform.database, platform.notifications, queue, logger, { maxConcurrentJobs });
  const handlers = createMediaHandlers({
    platform,
    transcribers: createTranscribers({
      concurrency,
      logger,
      ...(settings && { settings }),
      ...(childFile !== undefined && { pocketSphinx: { childFile } }),
    }),
    translator: createTextTranslator([]),
    ...(stuckAfterMs !== undefined && { decoding: { stuckAfterMs } }),
  });
  new JobRunner({ ...platform, queue, handlers, concurrency });
  process.stdout.write(`worker runs up to ${concurrency} jobs at once\n`);
}

void main(JSON.parse(process.env['MEDIA_WORKER'] ?? '{}') as MediaWorkerOptions);
