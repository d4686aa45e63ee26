import { parseArgs } from 'node:util';
import { EnvironmentReader, readPlatformEnvironment } from '../platform/environment';
import { Lifecycle } from '../platform/lifecycle';
import { createLogger } from '../platform/logger';
import { openPlatform } from '../platform/platform';
import { KeyRotation, stateOf } from '../subgraphs/users/keys/key-rotation';
import { signingKeySeal } from '../subgraphs/users/keys/signing-keys';
import { UserRecords, USERS_MODELS } from '../subgraphs/users/records';

const USAGE = `npm run keys -- list                  all keys that sign access tokens
npm run keys -- rotate [--now]        makes a new one, which signs in ten minutes; the others retire after it
npm run keys -- retire <kid> [--now]  takes one out of use; --now: its tokens are void at once (it was stolen)
`;

/** Lists, rotates and retires the keys that sign access tokens; running processes take that up within 30 s. */
async function main(): Promise<void> {
  const { positionals, values } = parseArgs({ allowPositionals: true, options: { now: { type: 'boolean' } } });
  const [command, kid] = positionals;
  if (!isComplete(command, kid)) {
    process.stderr.write(USAGE);
    process.exitCode = 2;
    return;
  }
  const reader = new EnvironmentReader(process.env);
  const environment = readPlatformEnvironment(reader);
  reader.check();
  const logger = createLogger({ name: 'keys', level: environment.logLevel });
  const lifecycle = new Lifecycle(logger);
  try {
    const platform = await openPlatform({
      environment,
      lifecycle,
      logger,
      applicationName: 'sauti:keys',
      publicUrl: () => '',
    });
    const records = new UserRecords(platform.database.slice(USERS_MODELS));
    const rotation = new KeyRotation(records, signingKeySeal(platform.secret), () => new Date());
    process.stdout.write(await run(rotation, command, kid, values.now ?? false));
  } finally {
    await lifecycle.stop();
  }
}

function isComplete(command: string | undefined, kid: string | undefined): command is string {
  return command === 'list' || command === 'rotate' || (command === 'retire' && kid !== undefined);
}

async function run(rotation: KeyRotation, command: string, kid: string | undefined, atOnce: boolean): Promise<string> {
  if (command === 'rotate') {
    const made = await rotation.rotate({ atOnce });
    return `${made} is published and signs ${atOnce ? 'now' : 'in ten minutes'}.\n`;
  }
  if (command === 'retire') {
    const retiredAt = await rotation.retire(kid!, { atOnce });
    return `${kid} signs no more; it is published until ${retiredAt.toISOString()}.\n`;
  }
  const keys = await rotation.list();
  const now = new Date();
  const lines = keys.map((key) => {
    const until = key.retiredAt ? `, published until ${key.retiredAt.toISOString()}` : '';
    return `${key.kid}  ${stateOf(key, keys, now).padEnd(9)}  made ${key.createdAt.toISOString()}, signs from ${key.activeAt.toISOString()}${until}\n`;
  });
  return lines.join('') || 'There is no key yet; the first start of the users subgraph makes one.\n';
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
