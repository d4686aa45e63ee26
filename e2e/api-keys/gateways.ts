import { Resources } from '../../bench/gateway/resources';
import type { GatewayOptions } from '../../gateway/options';
import { createGateway } from '../../gateway/server';
import { fetchAccessNews } from '../../gateway/viewer/access-news';
import { askApiKey } from '../../gateway/viewer/ask-api-key';
import { createAuthenticator } from '../../gateway/viewer/authenticator';
import { fetchJwks } from '../../gateway/viewer/fetch-jwks';
import { deriveCallKey, signCallIdentity } from '../../platform/identity/call-identity';
import { silentLogger } from '../../platform/logger';
import { readRepositoryFile } from '../../platform/root';
import { serveSubgraph } from '../../platform/subgraph/serve';
import { JWKS_PATH } from '../../subgraphs/users/subgraph';
import type { UsersStage } from '../../subgraphs/users/testing';

export const MODES = ['in process', 'apart'] as const;
export type Mode = (typeof MODES)[number];

/** A gateway with the whole schema whose users subgraph is that of the stage; the others are nowhere. */
export async function aGatewayOver(stage: UsersStage, mode: Mode): Promise<{ url: string } & AsyncDisposable> {
  const opened = new Resources();
  const gateway = await createGateway({
    supergraphSdl: readRepositoryFile('gateway/supergraph.graphql'),
    ...(mode === 'in process' ? beside(stage) : await apart(stage, opened)),
    logger: silentLogger,
    development: true,
  });
  opened.defer(() => gateway.stop());
  const { address } = await gateway.listen(0, '127.0.0.1');
  return {
    url: `http://127.0.0.1:${address.port}/graphql`,
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

function beside({ users }: UsersStage): Partial<GatewayOptions> {
  return {
    subgraphs: new Map([['users', users]]),
    authenticate: createAuthenticator({ jwks: () => users.jwks() }),
    accessChanges: (signal) => users.accessChanges(signal),
    verifyApiKey: users.verifyApiKey,
  };
}

async function apart({ opened, users }: UsersStage, resources: Resources): Promise<Partial<GatewayOptions>> {
  const callKey = deriveCallKey(opened.platform.secret, 'users');
  const server = resources.use(
    await serveSubgraph({ subgraph: users, callKey, host: '127.0.0.1', port: 0, logger: silentLogger }),
  );
  const base = `http://127.0.0.1:${server.port}`;
  const jwksUrl = base + JWKS_PATH;
  const signCall: GatewayOptions['signCall'] = (name, identity, body) =>
    signCallIdentity(deriveCallKey(opened.platform.secret, name), name, identity, body);
  return {
    remoteSubgraph: (name) => (name === 'users' ? { url: `${base}/graphql` } : undefined),
    authenticate: createAuthenticator({ jwks: () => fetchJwks(jwksUrl) }),
    accessChanges: fetchAccessNews({ jwksUrl, signCall }),
    verifyApiKey: askApiKey({ jwksUrl, signCall }),
    signCall,
  };
}
