import { nobodyListens } from '../client/retry';

/** Runs a demo to its end and the process with it: exit code 0, or 1 behind a line that says what to do. */
export function runProgram(main: () => Promise<void>): void {
  main().then(
    () => process.exit(0),
    (error: unknown) => {
      const message = nobodyListens(error)
        ? 'Nothing answers there. Start Sauti in another terminal: npm start'
        : error instanceof Error
          ? error.message
          : String(error);
      process.stderr.write(`\n${message}\n`);
      process.exit(1);
    },
  );
}

/** Throws what the payload of a mutation says, if it says anything. */
export function failOn(errors: readonly { code: string; message: string }[]): void {
  if (errors.length > 0) throw new Error(errors.map((error) => `${error.message} (${error.code})`).join('\n'));
}
