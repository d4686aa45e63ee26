import { readRepositoryFile } from '../../platform/root';
import type { Platform } from '../../platform/platform';
import { buildSubgraph } from '../../platform/subgraph/build-subgraph';
import type { ByteRoute, Subgraph } from '../../platform/subgraph/subgraph';
import type { JwkSet } from '../../platform/identity/access-token';
import { deriveCallKey } from '../../platform/identity/call-identity';
import { Accounts } from './accounts/accounts';
import { createContext } from './context';
import { endedSessionsRoute } from './sessions/ended-sessions';
import { Preferences } from './profile/preferences';
import { ProfileRecords } from './profile/profile-records';
import { Profiles } from './profile/profiles';
import { ViewerChanges } from './profile/viewer-changes';
import { UserRecords, USERS_MODELS } from './records';
import { resolvers } from './resolvers/resolvers';
import { Sessions } from './sessions/sessions';
import { SigningKeys } from './keys/signing-keys';

const NAME = 'users';
/** Where the public keys are published (RFC 8615 path, RFC 7517 content). */
export const JWKS_PATH = '/.well-known/jwks.json';

export interface UsersSubgraph extends Subgraph {
  /** The keys that verify access tokens, for a gateway in the same process. */
  jwks(): Promise<JwkSet>;
  /** Of these sessions those that have ended, expired, or never were, for a gateway in the same process. */
  endedSessions(sessionIds: readonly string[]): Promise<string[]>;
}

/** Accounts, profiles and sessions; issues the access tokens that everything else trusts. */
export function createUsersSubgraph(platform: Platform, clock: () => Date = () => new Date()): UsersSubgraph {
  const records = new UserRecords(platform.database.slice(USERS_MODELS));
  const keys = new SigningKeys(records);
  const sessions = new Sessions(records, keys, platform.secret, clock);
  const profileRecords = new ProfileRecords(platform.database.slice(USERS_MODELS));
  const services = {
    records,
    sessions,
    accounts: new Accounts(records, sessions),
    profileRecords,
    profiles: new Profiles(profileRecords, platform.events, clock),
    preferences: new Preferences(profileRecords, platform.events, clock),
    viewerChanges: new ViewerChanges(profileRecords, platform.events),
  };
  const subgraph = buildSubgraph({
    name: NAME,
    typeDefs: readRepositoryFile('subgraphs/users/schema.graphql'),
    resolvers,
    createContext: ({ identity, signal }) => createContext(services, identity, signal),
    extensionsOf: ({ cookieSession }) => cookieSession?.change && { session: cookieSession.change },
    logger: platform.logger,
    byteRoutes: [jwksRoute(keys), endedSessionsRoute(sessions, deriveCallKey(platform.secret, NAME))],
    ready: () => platform.database.ping(),
  });
  return { ...subgraph, jwks: () => keys.jwks(), endedSessions: (ids) => sessions.endedAmong(ids) };
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
