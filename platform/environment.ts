import path from 'node:path';
import type { Plan } from './credits/plans';
import { readPlans } from './credits/read-plans';
import type { LogLevel } from './logger';
import { repositoryRoot } from './root';

/** What every process needs to know. Defaults need nothing installed. */
export interface ProcessEnvironment {
  dataDirectory: string;
  /** Null: read from, or made in, `dataDirectory/secret`. All processes of a deployment need the same. */
  secret: string | null;
  logLevel: LogLevel;
  production: boolean;
  /** Longest file taken, in bytes. */
  maxFileBytes: number;
  mediaLimits: MediaLimits;
}

/** What recordings are taken; whatever is above is refused before it is decoded. */
export interface MediaLimits {
  /** How long they play, in milliseconds. */
  maxDurationMs: number;
  /** Pixels of one picture. */
  maxPixels: number;
}

/** 10 hours, and pictures of 8K UHD (7680 × 4320). */
export const DEFAULT_MEDIA_LIMITS: MediaLimits = { maxDurationMs: 10 * 3_600_000, maxPixels: 7_680 * 4_320 };

/** What every process that touches data needs to know besides. */
export interface PlatformEnvironment extends ProcessEnvironment {
  /** Null: start (or join) the embedded PostgreSQL in `dataDirectory`. */
  databaseUrl: string | null;
  /** Null: the job queue lives in PostgreSQL too. */
  redisUrl: string | null;
  /** Base URL of the byte routes of files, for a process that cannot read the store's disk; null: it can. */
  fetchFilesFrom: string | null;
  /** What accounts can be on, as the operator wants it from now on; null: see `storePlans`. */
  plans: readonly Plan[] | null;
}

export type Env = Readonly<Record<string, string | undefined>>;

/** Collects every fault of an environment, so that they are told together instead of one per start. */
export class EnvironmentReader {
  private readonly faults: string[] = [];

  constructor(private readonly env: Env) {}

  text(name: string): string | null {
    return this.env[name]?.trim() || null;
  }

  oneOf<Value extends string>(name: string, values: readonly Value[], fallback: Value): Value {
    const value = this.text(name);
    if (value === null) return fallback;
    if ((values as readonly string[]).includes(value)) return value as Value;
    this.faults.push(`${name} must be one of ${values.join(', ')}; it is "${value}".`);
    return fallback;
  }

  wholeNumber(name: string, fallback: number, range: { min: number; max: number }): number {
    const value = this.text(name);
    if (value === null) return fallback;
    const number = Number(value);
    if (Number.isInteger(number) && number >= range.min && number <= range.max) return number;
    this.faults.push(`${name} must be a whole number from ${range.min} to ${range.max}; it is "${value}".`);
    return fallback;
  }

  url(name: string, protocols: readonly string[]): string | null {
    const value = this.text(name);
    if (value === null) return null;
    if (URL.canParse(value) && protocols.includes(new URL(value).protocol)) return value;
    this.faults.push(`${name} must be a URL with ${protocols.join(' or ')}; it is not.`);
    return null;
  }

  /** Texts between commas; none when the variable is missing. */
  list(name: string): string[] {
    return (this.text(name) ?? '').split(',').flatMap((item) => item.trim() || []);
  }

  fault(message: string): void {
    this.faults.push(message);
  }

  /** Throws one error that lists all faults. */
  check(): void {
    if (this.faults.length > 0)
      throw new Error(`The environment is not valid:\n${this.faults.map((fault) => `  - ${fault}`).join('\n')}`);
  }
}

/**
 * The environment of programs that read what strangers have sent: enough to be found and to find their libraries, and
 * none of our secrets.
 */
export function programEnvironment(): NodeJS.ProcessEnv {
  const { PATH, LD_LIBRARY_PATH } = process.env;
  return { PATH, LD_LIBRARY_PATH, LC_ALL: 'C.UTF-8' };
}

/** Reads the variables all data processes share; see docs/operations.md for the list. */
export function readPlatformEnvironment(reader: EnvironmentReader): PlatformEnvironment {
  return {
    ...readProcessEnvironment(reader),
    databaseUrl: reader.url('DATABASE_URL', ['postgresql:', 'postgres:']),
    redisUrl: reader.url('REDIS_URL', ['redis:', 'rediss:']),
    fetchFilesFrom: reader.url('FILES_URL', ['http:', 'https:']),
    plans: readPlans(reader),
  };
}

/** Reads the variables all processes share. */
export function readProcessEnvironment(reader: EnvironmentReader): ProcessEnvironment {
  const production = reader.text('NODE_ENV') === 'production';
  const secret = reader.text('SAUTI_SECRET');
  if (secret !== null && secret.length < 32)
    reader.fault('SAUTI_SECRET must have at least 32 characters; make one with: openssl rand -hex 32');
  return {
    dataDirectory: path.resolve(reader.text('SAUTI_DATA_DIR') ?? path.join(repositoryRoot(), '.sauti')),
    secret,
    logLevel: reader.oneOf('LOG_LEVEL', ['debug', 'info', 'warn', 'error', 'silent'], production ? 'info' : 'warn'),
    production,
    maxFileBytes: reader.wholeNumber('MAX_FILE_BYTES', 2 * 1024 ** 3, { min: 1, max: 1024 ** 4 }),
    mediaLimits: {
      maxDurationMs: reader.wholeNumber('MAX_MEDIA_HOURS', 10, { min: 1, max: 240 }) * 3_600_000,
      maxPixels: reader.wholeNumber('MAX_MEDIA_PIXELS', DEFAULT_MEDIA_LIMITS.maxPixels, { min: 1, max: 2 ** 31 - 1 }),
    },
  };
}
