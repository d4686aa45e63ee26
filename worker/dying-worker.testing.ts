import { readPlatformEnvironment, EnvironmentReader } from '../platform/environment';
import { Lifecycle } from '../platform/lifecycle';
import { silentLogger } from '../platform/logger';
import { createMailSeal } from '../platform/mail/mail';
import { openPlatform } from '../platform/platform';
import type { AccountData } from '../platform/account-data';
import { startWorkerStack } from '../platform/testing/worker-stack';
import { createAccountHandlers } from '../subgraphs/users/privacy/jobs/handlers';
import { accountSlices } from './account-slices';

/** A worker process that is killed when the media slice has deleted some of what it has: `… dying-worker.testing.ts DATABASE_URL DATA_DIRECTORY SECRET`. */
async function main([DATABASE_URL, SAUTI_DATA_DIR, SAUTI_SECRET]: readonly string[]): Promise<void> {
  const environment = readPlatformEnvironment(new EnvironmentReader({ DATABASE_URL, SAUTI_DATA_DIR, SAUTI_SECRET }));
  const lifecycle = new Lifecycle(silentLogger);
  const opening = { environment, lifecycle, logger: silentLogger, applicationName: 'sauti:dying', publicUrl: () => '' };
  const platform = await openPlatform(opening);
  const slices = accountSlices(platform).map((slice) => (slice.subgraph === 'media' ? dying(slice) : slice));
  startWorkerStack(platform, createAccountHandlers({ platform, slices, mailSeal: createMailSeal(platform.secret) }));
}

/** Dies when it has committed its third step: the sound of live sessions is gone, recordings are not. */
function dying(slice: AccountData): AccountData {
  let steps = 0;
  return {
    ...slice,
    delete: (deletion) =>
      slice.delete({
        ...deletion,
        step: async (work) => {
          const counts = await deletion.step(work);
          if (++steps === 3) process.kill(process.pid, 'SIGKILL');
          return counts;
        },
      }),
  };
}

void main(process.argv.slice(2));
