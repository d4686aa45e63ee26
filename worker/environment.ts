import { availableParallelism } from 'node:os';
import { EnvironmentReader, readPlatformEnvironment, type PlatformEnvironment } from '../platform/environment';
import { readMailSettings, type MailSettings } from '../platform/mail/mail-settings';
import { readLiveSettings, type LiveSettings } from '../subgraphs/media/live/live-settings';
import { readSpeechSettings, type SpeechSettings } from '../subgraphs/media/speech-settings';

export interface WorkerEnvironment extends PlatformEnvironment {
  /** Jobs run at once; each transcription holds about 110 MB and one core. */
  concurrency: number;
  /** How many jobs of one account are handed to the queue at a time; the others wait, and let other accounts pass. */
  maxConcurrentJobs: number;
  /** Answers /health and /ready for a container's health check; null: no port is opened. */
  healthPort: number | null;
  /** Which speech engines are used, and where they are. */
  speech: SpeechSettings;
  live: LiveSettings;
  /** How mails are sent. */
  mail: MailSettings;
  /** How long events are kept for subscribers that come back, in days. */
  eventRetentionDays: number;
}

/** Reads and checks the worker's environment; throws one error that lists all faults. */
export function readWorkerEnvironment(): WorkerEnvironment {
  const reader = new EnvironmentReader(process.env);
  const concurrency = reader.wholeNumber('WORKER_CONCURRENCY', Math.max(2, availableParallelism()), {
    min: 1,
    max: 64,
  });
  const environment = {
    ...readPlatformEnvironment(reader),
    concurrency,
    // One place is left to others: a long recording of one account does not keep another's short one waiting.
    maxConcurrentJobs: reader.wholeNumber('MAX_CONCURRENT_JOBS', Math.max(1, concurrency - 1), { min: 1, max: 10_000 }),
    healthPort:
      reader.text('WORKER_HEALTH_PORT') === null
        ? null
        : reader.wholeNumber('WORKER_HEALTH_PORT', 4006, { min: 0, max: 65_535 }),
    speech: readSpeechSettings(reader),
    live: readLiveSettings(reader),
    mail: readMailSettings(reader),
    eventRetentionDays: reader.wholeNumber('EVENT_RETENTION_DAYS', 7, { min: 1, max: 3_650 }),
  };
  reader.check();
  return environment;
}
