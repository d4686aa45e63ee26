import { EnvironmentReader, readPlatformEnvironment, type PlatformEnvironment } from '../platform/environment';

export interface StartEnvironment extends PlatformEnvironment {
  host: string;
  /** Null: the first free one of 4000, 4010, 4020 … */
  port: number | null;
  /** Where clients reach this process, when that is not http://localhost:<port>. */
  publicUrl: string | null;
  corsOrigins: string[];
}

/** Reads and checks the environment of `npm start`; throws one error that lists all faults. */
export function readStartEnvironment(): StartEnvironment {
  const reader = new EnvironmentReader(process.env);
  const environment = {
    ...readPlatformEnvironment(reader),
    host: reader.text('HOST') ?? '127.0.0.1',
    port: reader.text('PORT') === null ? null : reader.wholeNumber('PORT', 4000, { min: 1, max: 65_535 }),
    publicUrl: reader.url('PUBLIC_URL', ['http:', 'https:']),
    corsOrigins: reader.list('CORS_ORIGINS'),
  };
  reader.check();
  return environment;
}
