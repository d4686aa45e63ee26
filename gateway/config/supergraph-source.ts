import type { Logger } from '../../platform/logger';

/** Where a supergraph comes from, also when it changes. */
export interface SupergraphSource {
  /** The supergraph at the start. */
  sdl: string;
  /** Gets it anew; rejects with the reason when there is none. */
  read(): Promise<string>;
  /** Tells of changes until `stop`. */
  follow(change: SupergraphChange): void;
  stop(): Promise<void>;
}

export interface SupergraphChange {
  to: (sdl: string) => void;
  failed: (error: unknown) => void;
}

/**
 * Hands on every supergraph that differs from the one served, one after the other. One that `update` rejects, or that
 * cannot be read, is logged, and the one before stays.
 */
export function followSupergraph(
  source: SupergraphSource,
  update: (sdl: string) => Promise<void>,
  logger: Logger,
): { reload(): Promise<void> } {
  let served = source.sdl;
  let last = Promise.resolve();
  const failed = (error: unknown): void =>
    logger.error({ error }, 'a new supergraph cannot be served; the one before stays');
  const to = (sdl: string): void => {
    last = last.then(async () => {
      if (sdl === served) return;
      try {
        await update(sdl);
        served = sdl;
        logger.info({}, 'a new supergraph is served');
      } catch (error) {
        failed(error);
      }
    });
  };
  source.follow({ to, failed });
  return {
    async reload() {
      await source.read().then(to, failed);
      await last;
    },
  };
}
