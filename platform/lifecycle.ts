import type { Logger } from './logger';

interface Step {
  name: string;
  stop: () => Promise<unknown>;
  limitMs: number;
}

/**
 * What a process has started, stopped in the reverse order of starting. Each step has its own time limit, so one that
 * hangs cannot keep the others from closing.
 */
export class Lifecycle {
  private readonly steps: Step[] = [];
  private stopping: Promise<void> | undefined;

  constructor(private readonly logger: Logger) {}

  /** Registers how to stop something that runs now; `limitMs` is how long its stop may take. */
  onStop(name: string, stop: () => Promise<unknown>, limitMs = 10_000): void {
    this.steps.push({ name, stop, limitMs });
  }

  /** Stops everything once; later calls wait for the first. */
  stop(): Promise<void> {
    this.stopping ??= this.stopAll();
    return this.stopping;
  }

  private async stopAll(): Promise<void> {
    for (const step of this.steps.reverse()) {
      const timedOut = Symbol('timed out');
      let timer: NodeJS.Timeout | undefined;
      const limit = new Promise<symbol>((resolve) => (timer = setTimeout(() => resolve(timedOut), step.limitMs)));
      try {
        if ((await Promise.race([step.stop(), limit])) === timedOut) {
          this.logger.warn({ step: step.name, limitMs: step.limitMs }, 'a part did not stop within its limit');
        }
      } catch (error) {
        this.logger.error({ step: step.name, error }, 'a part failed to stop');
      } finally {
        clearTimeout(timer);
      }
    }
  }
}

/**
 * Runs until SIGINT or SIGTERM (or until the parent that forked this process is gone), then stops in order and exits.
 * A second signal exits at once with code 130.
 */
export function stopOnSignals(lifecycle: Lifecycle, logger: Logger, before?: (signal: string) => void): void {
  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping && signal !== 'disconnect') process.exit(130);
    if (stopping) return;
    stopping = true;
    before?.(signal);
    void lifecycle.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ error }, 'stopping failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', () => stop('SIGINT'));
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('disconnect', () => stop('disconnect'));
}
