import { readRepositoryFile } from '../../platform/root';
import type { Platform } from '../../platform/platform';
import { buildSubgraph } from '../../platform/subgraph/build-subgraph';
import type { ByteRoute, Subgraph } from '../../platform/subgraph/subgraph';
import type { AccessNews } from '../../platform/identity/access-change';
import type { JwkSet } from '../../platform/identity/access-token';
import { deriveCallKey } from '../../platform/identity/call-identity';
import { createMailSeal } from '../../platform/mail/mail';
import { outboxRoute } from '../../platform/mail/outbox-route';
import { createContext } from './context';
import type { SigningKeys } from './keys/signing-keys';
import { resolvers } from './resolvers/resolvers';
import { createServices } from './services';
import { accessChangesRoute } from './sessions/access-changes';
import { accessNews } from './sessions/access-news';
import { DEFAULT_USERS_SETTINGS, type UsersSettings } from './users-settings';

const NAME = 'users';
/** Where the public keys are published (RFC 8615 path, RFC 7517 content). */
export const JWKS_PATH = '/.well-known/jwks.json';

export interface UsersSubgraph extends Subgraph {
  /** The keys that verify access tokens, for a gateway in the same process. */
  jwks(): Promise<JwkSet>;
  /** Whose access tokens are void, for a gateway in the same process; see `accessNews`. */
  accessChanges(signal: AbortSignal): AsyncGenerator<AccessNews, void, void>;
}

/** Accounts, profiles and sessions; issues the access tokens that everything else trusts. */
export function createUsersSubgraph(
  platform: Platform,
  clock: () => Date = () => new Date(),
  given: Partial<UsersSettings> = {},
): UsersSubgraph {
  const settings = { ...DEFAULT_USERS_SETTINGS, ...given };
  const { services, keys } = createServices(platform, settings, clock);
  const accessChanges: UsersSubgraph['accessChanges'] = (signal) => accessNews(platform.events, signal);
  const access = accessChangesRoute(accessChanges, deriveCallKey(platform.secret, NAME));
  const subgraph = buildSubgraph({
    name: NAME,
    typeDefs: readRepositoryFile('subgraphs/users/schema.graphql'),
    resolvers,
    createContext: ({ identity, signal }) => createContext(services, identity, signal),
    extensionsOf: ({ cookieSession }) => cookieSession?.change && { session: cookieSession.change },
    logger: platform.logger,
    byteRoutes: [
      jwksRoute(keys),
      access.route,
      ...(settings.accounts.outbox ? [outboxRoute({ ...platform, seal: createMailSeal(platform.secret) })] : []),
    ],
    closeRoutes: () => access.close(),
    ready: () => platform.database.ping(),
  });
  return { ...subgraph, jwks: () => keys.jwks(), accessChanges };
}

function jwksRoute(keys: SigningKeys): ByteRoute {
  return (request, response, url) => {
    if (url.pathname !== JWKS_PATH || request.method !== 'GET') return false;
    keys.jwks().then(
      (jwks) => {
        response.writeHead(200, { 'content-type': 'application/jwk-set+json', 'cache-control': 'public, max-age=300' });
        response.end(JSON.stringify(jwks));
      },
      () => response.writeHead(503, { 'retry-after': '1' }).end(),
    );
    return true;
  };
}
