import { rmSync } from 'node:fs';
import { dropDatabase } from './database';
import { started } from './global-setup';

/** Leaves nothing behind: no database on a server of yours, no server and no folder of ours. */
export default async function globalTeardown(): Promise<void> {
  await dropDatabase(process.env.SAUTI_TEST_SERVER!, process.env.SAUTI_TEST_TEMPLATE!);
  await started.server?.stop();
  if (started.temporaryFolder) rmSync(started.temporaryFolder, { recursive: true, force: true });
}
