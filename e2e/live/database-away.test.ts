import { DEFAULT_MEDIA_LIMITS } from '../../platform/environment';
import { Lifecycle } from '../../platform/lifecycle';
import type { Logger } from '../../platform/logger';
import { openPlatform } from '../../platform/platform';
import { openTestPlatform } from '../../platform/testing/platform';
import { waitFor } from '../../platform/testing/wait';
import { aHost, bytesOf, SpokenSession } from '../../subgraphs/media/live/recognition/testing';
import { toneEngine } from '../../subgraphs/media/live/recognition/tone-engine.testing';
import { soundOf, tonesFor } from '../../subgraphs/media/transcription/testing';
import { startProxy } from '../proxy';

const SPEECH = bytesOf(soundOf(tonesFor(6_000), 0, 6_000));

test('a worker whose database was away so long that it could not even give its session back goes on with it', async () => {
  await using opened = await openTestPlatform();
  await using proxy = await startProxy(opened.platform.database.url);
  const said: string[] = [];
  const tell = (_details: object, message: string): void => void said.push(message);
  const logger: Logger = { debug: tell, info: tell, warn: tell, error: tell, child: () => logger };
  const lifecycle = new Lifecycle(logger);
  const platform = await openPlatform({
    environment: {
      ...{
        databaseUrl: proxy.url,
        redisUrl: null,
        fetchFilesFrom: null,
        dataDirectory: opened.dataDirectory,
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
    ...{ lifecycle, logger, applicationName: 'sauti:live-worker', publicUrl: () => '' },
  });
  const engine = toneEngine();
  const host = aHost(platform, engine, { brokenMs: 1 });
  try {
    const session = await SpokenSession.begin(opened.platform);
    await session.sendAll(SPEECH.subarray(0, 80_000));
    await waitFor('a guess', async () => (await session.segments()).some(({ state }) => state === 'PARTIAL'));
    proxy.cut();
    await waitFor('the session to be neither heard nor given back', () => said.includes('not released'));
    proxy.restore();
    await session.sendAll(SPEECH.subarray(80_000));
    await session.end();
    await session.until('ENDED');
    expect((await session.segments()).map(({ text }) => text)).toEqual([
      'n0 n1 n2',
      'n3 n4 n5',
      'n6 n7 n8',
      'n9 n10 n11',
    ]);
  } finally {
    await host[Symbol.asyncDispose]();
    await lifecycle.stop();
  }
});
