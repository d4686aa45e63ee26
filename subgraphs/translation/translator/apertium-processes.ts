import { spawn } from 'node:child_process';
import { programEnvironment } from '../../../platform/environment';

/** The running programs of one translation direction. */
export interface ApertiumProcesses {
  /** Process group (the pid of the shell); undefined if the shell could not be started. */
  readonly group: number | undefined;
  /** Sends one request; the NUL byte that makes the pipe flush is added here. */
  write(stream: string): void;
  /** What the programs wrote to stderr last. */
  complaint(): string;
  /** Closes their input, so that they leave one after the other; kills them after 2 s. Resolves when all have gone. */
  end(): Promise<void>;
}

interface Listeners {
  /** One answer, in the order of the requests. */
  onAnswer: (stream: string) => void;
  /** Once, as soon as any of the programs has ended or the answers make no sense. */
  onFailure: (reason: string) => void;
}

/** No translation is this long: a pipe that talks on without an end is stopped. */
const MAX_ANSWER_CHARACTERS = 4_000_000;
const STOP_GRACE_MS = 2_000;

/**
 * Starts the programs as one process group. They end by themselves when our process dies in whatever way: the first
 * reads the end of its input, then the next one.
 */
export function startProcesses(stages: readonly string[], { onAnswer, onFailure }: Listeners): ApertiumProcesses {
  const shell = spawn('sh', ['-c', shellScript(stages)], {
    detached: true,
    env: programEnvironment(),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const gone = new Promise<void>((resolve) => shell.once('close', () => resolve()).once('error', () => resolve()));
  let unread = '';
  let complaint = '';
  shell.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const answers = (unread + chunk).split('\0');
    unread = answers.pop()!;
    answers.forEach(onAnswer);
    if (unread.length > MAX_ANSWER_CHARACTERS) onFailure('its answer has no end');
  });
  shell.stderr.setEncoding('utf8').on('data', (chunk: string) => (complaint = (complaint + chunk).slice(-500)));
  shell.stdout.once('end', () => onFailure('one of its programs ended'));
  shell.once('error', (error) => onFailure(error.message));
  shell.stdin.on('error', () => undefined); // EPIPE: stdout ends too, which is handled above

  return {
    group: shell.pid,
    write: (stream) => shell.stdin.write(`${stream}\0`),
    complaint: () => complaint.trim(),
    async end() {
      shell.stdin.end();
      // A shell that left by itself has waited for all its programs; the number of its group may belong to others now.
      const kill = (): void => (shell.exitCode === null ? killGroup(shell.pid) : undefined);
      const timer = setTimeout(kill, STOP_GRACE_MS);
      await gone;
      clearTimeout(timer);
    },
  };
}

/**
 * The shell keeps neither end of the pipe (descriptors 3 and 4 are handed to the first and the last program only), so
 * our stdout ends as soon as any program dies; otherwise a request would hang until its deadline.
 */
function shellScript(stages: readonly string[]): string {
  const pipeline = stages.map((stage, index) => {
    const input = index === 0 ? '<&3' : '';
    const output = index === stages.length - 1 ? '>&4' : '';
    return `${stage} ${input} ${output} 3<&- 4>&-`;
  });
  return `exec 3<&0 4>&1 </dev/null >/dev/null; ${pipeline.join(' | ')} & exec 3<&- 4>&-; wait`;
}

function killGroup(group: number | undefined): void {
  try {
    if (group !== undefined) process.kill(-group, 'SIGKILL');
  } catch {
    // already gone
  }
}
