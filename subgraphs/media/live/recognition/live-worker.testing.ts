import { DEFAULT_MEDIA_LIMITS } from '../../../../platform/environment';
import { Lifecycle } from '../../../../platform/lifecycle';
import type { Logger } from '../../../../platform/logger';
import { openPlatform } from '../../../../platform/platform';
import { createLivePocketSphinx } from '../../transcriber/pocketsphinx/live';
import { aHost } from './testing';
import { toneEngine } from './tone-engine.testing';

/** A worker for live sessions that tests may freeze and kill; it says what it logs. */
async function main([databaseUrl, dataDirectory, engine]: string[]): Promise<void> {
  const tell = (_details: object, message: string): void => void process.stdout.write(`${message}\n`);
  const logger: Logger = { debug: tell, info: tell, warn: tell, error: tell, child: () => logger };
  const platform = await openPlatform({
    environment: {
      ...{
        databaseUrl: databaseUrl!,
        redisUrl: null,
        fetchFilesFrom: null,
        dataDirectory: dataDirectory!,
        secret: null,
      },
      ...{
        logLevel: 'info',
        production: false,
        maxFileBytes: 1024 ** 2,
        mediaLimits: DEFAULT_MEDIA_LIMITS,
        plans: null,
      },
    },
    ...{ lifecycle: new Lifecycle(logger), logger, applicationName: 'sauti:live-worker', publicUrl: () => '' },
  });
  aHost(platform, engine === 'pocketsphinx' ? createLivePocketSphinx() : toneEngine());
  tell({}, 'ready');
}

void main(process.argv.slice(2));
