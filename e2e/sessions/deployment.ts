import { createAuthenticator } from '../../gateway/viewer/authenticator';
import { fetchAccessNews } from '../../gateway/viewer/access-news';
import { fetchJwks } from '../../gateway/viewer/fetch-jwks';
import type { GatewayOptions } from '../../gateway/options';
import { createGateway } from '../../gateway/server';
import { deriveCallKey, signCallIdentity } from '../../platform/identity/call-identity';
import { silentLogger } from '../../platform/logger';
import { readRepositoryFile } from '../../platform/root';
import { serveSubgraph } from '../../platform/subgraph/serve';
import { freePort } from '../../platform/testing/free-port';
import type { Platform } from '../../platform/platform';
import { createNotificationSubgraph } from '../../subgraphs/notification/subgraph';
import { createUsersSubgraph, JWKS_PATH } from '../../subgraphs/users/subgraph';

export interface Deployment extends AsyncDisposable {
  /** `http://…/graphql` of two gateways: one has the users subgraph in its process, to the other it is apart. */
  readonly gateways: Record<'in process' | 'apart', string>;
  /** Stops the users subgraph that is apart. */
  stopUsers(): Promise<void>;
  startUsers(): Promise<void>;
}

/** Two gateways over one database, in this process, so that a test can see what each of them does and when. */
export async function startDeployment(platform: Platform): Promise<Deployment> {
  const callKey = (subgraph: string) => deriveCallKey(platform.secret, subgraph);
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const serve = () =>
    serveSubgraph({
      subgraph: createUsersSubgraph(platform),
      callKey: callKey('users'),
      host: '127.0.0.1',
      port,
      logger: silentLogger,
    });
  let server: AsyncDisposable | undefined = await serve();
  const common = {
    supergraphSdl: readRepositoryFile('gateway/supergraph.graphql'),
    logger: silentLogger,
    development: false,
    planning: { store: false },
    signCall: (subgraph, identity, body) => signCallIdentity(callKey(subgraph), subgraph, identity, body),
  } satisfies GatewayOptions;
  const notification = createNotificationSubgraph(platform);
  const users = createUsersSubgraph(platform);
  const jwksUrl = `${base}${JWKS_PATH}`;
  const inProcess = await createGateway({
    ...common,
    subgraphs: new Map([users, notification].map((subgraph) => [subgraph.name, subgraph])),
    authenticate: createAuthenticator({ jwks: () => users.jwks() }),
    accessChanges: (signal) => users.accessChanges(signal),
  });
  const apart = await createGateway({
    ...common,
    subgraphs: new Map([[notification.name, notification]]),
    remoteSubgraph: (name) => (name === 'users' ? { url: `${base}/graphql` } : undefined),
    authenticate: createAuthenticator({ jwks: () => fetchJwks(jwksUrl) }),
    accessChanges: fetchAccessNews({ jwksUrl, signCall: common.signCall }),
  });
  const stopUsers = async (): Promise<void> => {
    await server?.[Symbol.asyncDispose]();
    server = undefined;
  };
  return {
    gateways: {
      'in process': `${(await inProcess.listen(0, '127.0.0.1')).url}/graphql`,
      apart: `${(await apart.listen(0, '127.0.0.1')).url}/graphql`,
    },
    stopUsers,
    async startUsers() {
      server = await serve();
    },
    async [Symbol.asyncDispose]() {
      await inProcess.stop();
      await apart.stop();
      await stopUsers();
    },
  };
}
