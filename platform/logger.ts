import pino from 'pino';

/** The part of pino that Sauti uses; tests hand in their own. */
export interface Logger {
  debug(details: object, message: string): void;
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
  child(bindings: object): Logger;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Names of fields whose value never reaches a log line. */
const SECRETS = ['password', 'accessToken', 'refreshToken', 'authorization', 'token', 'secret'].flatMap((name) => [
  name,
  `*.${name}`,
  `*.*.${name}`,
]);

/** A logger that writes one JSON object a line to stderr, so stdout stays free for what a person should read. */
export function createLogger(options: { name: string; level: LogLevel }): Logger {
  return pino(
    {
      name: options.name,
      level: options.level,
      base: { name: options.name, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: pino.stdSerializers.errWithCause },
      redact: { paths: SECRETS, censor: '[redacted]' },
    },
    pino.destination({ dest: 2, sync: true }),
  );
}

/** Swallows everything; for tests that provoke errors on purpose. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silentLogger };
