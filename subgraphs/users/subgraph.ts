import { readRepositoryFile } from '../../platform/root';
import type { Platform } from '../../platform/platform';
import { buildSubgraph } from '../../platform/subgraph/build-subgraph';
import type { ByteRoute, Subgraph } from '../../platform/subgraph/subgraph';
import type { AccessNews } from '../../platform/identity/access-change';
import type { JwkSet } from '../../platform/identity/access-token';
import { deriveCallKey } from '../../platform/identity/call-identity';
import { createMailSeal } from '../../platform/mail/mail';
import { outboxRoute } from '../../platform/mail/outbox-route';
import { createAccounts } from './accounts/create-accounts';
import { SignIns, type EndAllSessions } from './accounts/sign-in';
import { Attempts } from './attempts';
import { createContext } from './context';
import { createOAuth } from './oauth/create-oauth';
import { Preferences } from './profile/preferences';
import { ProfileRecords } from './profile/profile-records';
import { Profiles } from './profile/profiles';
import { ViewerChanges } from './profile/viewer-changes';
import { accessChangesRoute } from './sessions/access-changes';
import { accessNews } from './sessions/access-news';
import { CreditGrants } from './credits/credit-grants';
import { CreditRecords } from './credits/credit-records';
import { Credits } from './credits/credits';
import { UserRecords, USERS_MODELS } from './records';
import { resolvers } from './resolvers/resolvers';
import { Sessions } from './sessions/sessions';
import { signingKeySeal, SigningKeys } from './keys/signing-keys';
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
  const database = platform.database.slice(USERS_MODELS);
  const records = new UserRecords(database);
  const keys = new SigningKeys(records, signingKeySeal(platform.secret), clock, platform.logger);
  const sessions = new Sessions(records, keys, platform.events, platform.secret, clock);
  const profileRecords = new ProfileRecords(database);
  const creditRecords = new CreditRecords(database);
  const attempts = new Attempts(records, platform.secret, clock);
  const signIns = new SignIns(sessions, { challenge: async () => null }, async (_tx, user) => user, clock);
  const endAllSessions: EndAllSessions = (tx, userId, except, identity) =>
    sessions.endOf(tx, userId, except === null ? 'all' : { not: except }, identity);
  const parts = { database, users: records, attempts, signIns, endAllSessions, clock };
  const accountServices = createAccounts(platform, settings.accounts, parts);
  const services = {
    records,
    sessions,
    ...accountServices,
    profileRecords,
    profiles: new Profiles(profileRecords, platform.events, clock),
    preferences: new Preferences(profileRecords, platform.events, clock),
    viewerChanges: new ViewerChanges(profileRecords, platform.events),
    credits: new Credits(creditRecords),
    creditGrants: new CreditGrants(creditRecords, platform.events),
    ...createOAuth(platform, settings.oauth, { records, signIns, mails: accountServices.accountMails, clock }),
  };
  const accessChanges: UsersSubgraph['accessChanges'] = (signal) => accessNews(platform.events, signal);
  const access = accessChangesRoute(accessChanges, deriveCallKey(platform.secret, NAME));
  const subgraph = buildSubgraph({
    name: NAME,
    typeDefs: readRepositoryFile('subgraphs/users/schema.graphql'),
    resolvers,
    createContext: ({ identity, signal }) => createContext(services, identity, signal),
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
