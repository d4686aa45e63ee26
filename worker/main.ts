import { Dispatcher } from '../platform/jobs/dispatcher';
import { JobRunner } from '../platform/jobs/job-runner';
import { createJobQueue } from '../platform/jobs/queue';
import { Lifecycle, stopOnSignals } from '../platform/lifecycle';
import { createLogger } from '../platform/logger';
import { createMailSeal } from '../platform/mail/mail';
import { startMailer } from '../platform/mail/start-mailer';
import { openPlatform } from '../platform/platform';
import { startFailure } from '../platform/start-failure';
import { createMediaHandlers } from '../subgraphs/media/jobs/handlers';
import { startLiveHost } from '../subgraphs/media/live/recognition/live-host';
import { createLiveEngines, createTranscribers } from '../subgraphs/media/transcribers';
import { runInboxConsumer } from '../subgraphs/notification/inbox-consumer';
import { createTextTranslator } from '../subgraphs/translation/text-translator';
import { createTranslators } from '../subgraphs/translation/translators';
import { createAccountHandlers } from '../subgraphs/users/privacy/jobs/handlers';
import { accountSlices } from './account-slices';
import { readWorkerEnvironment } from './environment';
import { serveHealth } from './health';
import { startHousekeeping } from './housekeeping';

/** The process that does the heavy work: runs jobs, follows events, tidies up. Any number of them may run. */
async function main(): Promise<void> {
  const environment = readWorkerEnvironment();
  const logger = createLogger({ name: 'worker', level: environment.logLevel });
  const lifecycle = new Lifecycle(logger);
  stopOnSignals(lifecycle, logger);
  const platform = await openPlatform({
    environment,
    lifecycle,
    logger,
    applicationName: 'sauti:worker',
    // One for each job's writes and one for each live session; the rest for dispatcher, sweeps, the inbox and housekeeping.
    poolSize: environment.concurrency + environment.live.places + 8,
    publicUrl: () => '',
  });

  const transcribers = createTranscribers({
    settings: environment.speech,
    concurrency: environment.concurrency,
    logger,
  });
  lifecycle.onStop('speech engines', async () => transcribers[Symbol.asyncDispose]());

  const liveEngines = createLiveEngines({ settings: environment.speech, logger });
  lifecycle.onStop('live speech engines', async () => liveEngines[Symbol.asyncDispose]());

  const translators = createTranslators();
  lifecycle.onStop('translation engines', () => Promise.all(translators.map((one) => one[Symbol.asyncDispose]())));
  const translator = createTextTranslator(translators);

  const queue = createJobQueue({
    databaseUrl: platform.database.url,
    redisUrl: environment.redisUrl ?? undefined,
    logger,
  });
  lifecycle.onStop('job queue', async () => queue[Symbol.asyncDispose]());
  const dispatcher = new Dispatcher(platform.database, platform.notifications, queue, logger, {
    maxConcurrentJobs: environment.maxConcurrentJobs,
  });
  lifecycle.onStop('job dispatcher', async () => dispatcher[Symbol.asyncDispose]());
  const runner = new JobRunner({
    ...platform,
    queue,
    concurrency: environment.concurrency,
    handlers: [
      ...createMediaHandlers({ platform, transcribers, translator }),
      ...createAccountHandlers({
        platform,
        mailSeal: createMailSeal(platform.secret),
        slices: accountSlices(platform),
      }),
    ],
  });
  lifecycle.onStop('job runner', () => runner.close());

  const mailer = startMailer(platform, environment.mail);
  lifecycle.onStop('mailer', () => mailer[Symbol.asyncDispose]());

  const consumers = new AbortController();
  const inbox = runInboxConsumer(platform, consumers.signal);
  lifecycle.onStop('event consumers', () => {
    consumers.abort();
    return inbox;
  });
  const stopHousekeeping = startHousekeeping(platform, environment.eventRetentionDays);
  lifecycle.onStop('housekeeping', async () => stopHousekeeping());

  if (environment.live.places > 0) {
    const host = startLiveHost({ platform, engines: liveEngines, settings: environment.live });
    // Given back before jobs are waited for: somebody speaks.
    lifecycle.onStop('live sessions', async () => host[Symbol.asyncDispose]());
  }

  if (environment.healthPort !== null) {
    const health = await serveHealth(environment.healthPort, () => platform.database.ping());
    lifecycle.onStop('health port', () => health.close());
  }

  process.stdout.write(`worker runs up to ${environment.concurrency} jobs at once\n`);
  process.send?.('ready');
}

main().catch((error: unknown) => {
  process.stderr.write(`worker could not start: ${startFailure(error)}\n`);
  process.exit(1);
});
