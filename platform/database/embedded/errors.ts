/** Why the embedded PostgreSQL could not be used; stable, so callers and tests may rely on it. */
export type EmbeddedPostgresErrorCode =
  | 'PLATFORM_UNSUPPORTED'
  | 'DISK_FULL'
  | 'PORT_TAKEN'
  | 'NOT_ACCESSIBLE'
  | 'VERSION_MISMATCH'
  | 'START_FAILED'
  | 'STOP_TIMED_OUT';

/** A failure of the embedded PostgreSQL whose message tells a person what to do next. */
export class EmbeddedPostgresError extends Error {
  constructor(
    readonly code: EmbeddedPostgresErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'EmbeddedPostgresError';
  }
}

/** Ends every message for which running another server is the way out. */
export const USE_YOUR_OWN =
  'or set DATABASE_URL to a PostgreSQL server of your own (version 14 or later), e.g. postgresql://user:password@host/sauti';

/** Turns what initdb or postgres printed before it gave up into one error a person can act on. */
export function explainFailure(output: string, context: { directory: string; port?: number }): EmbeddedPostgresError {
  const { directory, port } = context;
  const reason = lastComplaint(output);
  if (/No space left on device|Disk quota exceeded/i.test(output)) {
    return new EmbeddedPostgresError(
      'DISK_FULL',
      `The disk that holds ${directory} is full (${reason}). Free some space and start again.`,
    );
  }
  if (/could not bind|could not create any TCP\/IP sockets|Address already in use/i.test(output)) {
    return new EmbeddedPostgresError(
      'PORT_TAKEN',
      `Port ${port} on 127.0.0.1, which the database in ${directory} uses, is taken by another program. Stop that program, ${USE_YOUR_OWN}.`,
    );
  }
  if (/initialized by PostgreSQL version|files are incompatible with server/i.test(output)) {
    return new EmbeddedPostgresError(
      'VERSION_MISMATCH',
      `The database in ${directory} was written by another version of PostgreSQL (${reason}). Use the Sauti version that wrote it to export the data, move the folder away, ${USE_YOUR_OWN}.`,
    );
  }
  if (/Permission denied|wrong ownership|invalid permissions/i.test(output)) {
    return new EmbeddedPostgresError(
      'NOT_ACCESSIBLE',
      `The database in ${directory} cannot be read or written (${reason}). Start Sauti as the user who started it first, ${USE_YOUR_OWN}.`,
    );
  }
  return new EmbeddedPostgresError(
    'START_FAILED',
    `The embedded PostgreSQL did not start: ${reason}. Its log is ${directory}/postgres.log. Repair the cause, ${USE_YOUR_OWN}.`,
  );
}

/** The same for an error of a file operation or of starting a program. */
export function explainSystemError(error: unknown, directory: string): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new EmbeddedPostgresError(
      'DISK_FULL',
      `The disk that holds ${directory} is full. Free some space and start again.`,
      {
        cause: error,
      },
    );
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new EmbeddedPostgresError(
      'NOT_ACCESSIBLE',
      `${directory} cannot be written by this user (${code}). Start Sauti as the user who owns it, ${USE_YOUR_OWN}.`,
      { cause: error },
    );
  }
  return error;
}

function lastComplaint(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  const complaint =
    lines.findLast((line) => /FATAL|PANIC|error:|ERROR/.test(line)) ?? lines.at(-1) ?? 'it printed nothing';
  return complaint.replace(/^.*?(FATAL|PANIC|ERROR|error):\s*/, '').trim();
}
