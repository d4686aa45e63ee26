import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Resources } from '../../bench/gateway/resources';
import { repositoryRoot } from '../../platform/root';
import { freePort } from '../../platform/testing/free-port';
import { startDatabase, type ChaosDatabase } from './database';
import { Service, type ServiceDefinition } from './service';
import { Store } from './store';

export type SubgraphName = 'users' | 'media' | 'notification' | 'translation';

export interface StackOptions {
  /** `users` is needed for every sign-up. */
  subgraphs: readonly SubgraphName[];
  gateways: number;
  /** Whether a worker runs (of the jobs in `platform/testing/steps-job.ts`). */
  worker: boolean;
}

/** Sauti as processes apart, each of which may be killed and comes back on its port. */
export interface Stack extends AsyncDisposable {
  readonly database: ChaosDatabase;
  readonly store: Store;
  /** e.g. `http://127.0.0.1:40123/graphql`, one for each gateway. */
  readonly endpoints: readonly string[];
  readonly services: readonly Service[];
  /** Throws for a name that is not running. */
  service(name: string): Service;
}

/** Starts everything and waits until it is ready. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const resources = new Resources();
  try {
    return await startParts(options, resources);
  } catch (error) {
    await resources[Symbol.asyncDispose]();
    throw error;
  }
}

async function startParts(options: StackOptions, resources: Resources): Promise<Stack> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'sauti-chaos-'));
  await chmod(folder, 0o755); // or root's database, which runs as another user, would keep its data elsewhere
  resources.defer(() => rm(folder, { recursive: true, force: true }));
  const database = resources.use(await startDatabase(path.join(folder, 'postgres')));
  const store = resources.use(new Store(database.url));
  const definitions = await defineServices(options, database.url, folder);
  const services = definitions.map((definition) => resources.use(new Service(definition)));
  await Promise.all(services.map((service) => service.ready()));
  const gateways = definitions.filter(({ kind }) => kind === 'gateway');
  return {
    database,
    store,
    services,
    endpoints: gateways.map(({ env }) => `http://127.0.0.1:${env['PORT']!}/graphql`),
    service(name) {
      const found = services.find((service) => service.name === name);
      if (!found) throw new Error(`No service is called ${name}.`);
      return found;
    },
    [Symbol.asyncDispose]: () => resources[Symbol.asyncDispose](),
  };
}

async function defineServices(
  options: StackOptions,
  databaseUrl: string,
  folder: string,
): Promise<ServiceDefinition[]> {
  const shared = {
    DATABASE_URL: databaseUrl,
    SAUTI_DATA_DIR: folder,
    SAUTI_SECRET: 'a secret for one chaos run only, 32+',
    LOG_LEVEL: 'error',
  };
  const definitions: ServiceDefinition[] = [];
  const addresses: Record<string, string> = {};
  for (const name of options.subgraphs) {
    const subgraph = await defineServer(name, 'subgraph', `subgraphs/${name}/main.js`, '/ready', shared);
    addresses[`SUBGRAPH_URL_${name.toUpperCase()}`] = `http://127.0.0.1:${subgraph.env['PORT']!}/graphql`;
    definitions.push(subgraph);
  }
  if (options.worker) definitions.push(defineWorker(databaseUrl));
  const jwksUrl = addresses['SUBGRAPH_URL_USERS']!.replace('/graphql', '/.well-known/jwks.json');
  for (let number = 1; number <= options.gateways; number++) {
    const env = { ...shared, ...addresses, JWKS_URL: jwksUrl };
    // Alive is enough: a gateway is of use while a subgraph is down.
    definitions.push(await defineServer(`gateway-${number}`, 'gateway', 'gateway/main.js', '/health', env));
  }
  return definitions;
}

async function defineServer(
  name: string,
  kind: ServiceDefinition['kind'],
  script: string,
  readyPath: string,
  env: Record<string, string>,
): Promise<ServiceDefinition> {
  const port = await freePort();
  return {
    name,
    kind,
    args: [path.join(repositoryRoot(), 'dist', script)],
    env: { ...env, PORT: String(port) },
    readyWhen: { url: `http://127.0.0.1:${port}${readyPath}` },
  };
}

function defineWorker(databaseUrl: string): ServiceDefinition {
  const testing = path.join(repositoryRoot(), 'platform/testing');
  return {
    name: 'worker',
    kind: 'worker',
    args: ['-r', path.join(testing, 'register.cjs'), path.join(testing, 'steps-worker.ts'), databaseUrl],
    env: {},
    readyWhen: { prints: 'ready\n' },
  };
}
