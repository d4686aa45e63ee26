import { composeServices } from '@apollo/composition';
import { gql } from 'graphql-tag';
import { SautiError } from '../../platform/errors';
import { deriveCallKey, signCallIdentity } from '../../platform/identity/call-identity';
import type { SessionChange } from '../../platform/identity/session-change';
import type { CallIdentity } from '../../platform/identity/viewer';
import { silentLogger } from '../../platform/logger';
import { buildSubgraph } from '../../platform/subgraph/build-subgraph';
import { serveSubgraph } from '../../platform/subgraph/serve';
import type { Subgraph, SubgraphCallOptions } from '../../platform/subgraph/subgraph';
import type { Authenticate, GatewayOptions } from '../options';
import { createGateway, type Gateway } from '../server';
import type { Mode } from './gateways';

const SECRET = 'a secret that only tests know, of decent length';

const LIMITS = `
extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key", "@shareable", "@composeDirective"])
  @link(url: "https://sauti.dev/specs/limits/v1.0", import: ["@rateLimit"])
  @composeDirective(name: "@rateLimit")
directive @rateLimit(limit: Int!, windowS: Int!, by: [String!]! = ["SOURCE"], argument: String) repeatable on FIELD_DEFINITION
`;

const USERS = `${LIMITS}
scalar Upload
type Query {
  who: String
  rare: String @rateLimit(limit: 3, windowS: 600)
  deep: Deep!
  thing: Thing!
}
type Deep { secret: String @rateLimit(limit: 3, windowS: 600) }
interface Thing { guarded: String }
type Safe implements Thing & Watched { guarded: String @rateLimit(limit: 3, windowS: 600)  watched: String }
interface Watched { watched: String @rateLimit(limit: 3, windowS: 600) }
input SignIn { email: String! }
type Mutation {
  signIn(input: SignIn!): String
    @rateLimit(limit: 20, windowS: 300)
    @rateLimit(limit: 5, windowS: 300, by: ["SOURCE", "ARGUMENT"], argument: "input.email")
  refresh: String
  signOut: Boolean
  change: String @rateLimit(limit: 3, windowS: 600, by: ["ACCOUNT"])
  upload(file: Upload!): Boolean @rateLimit(limit: 3, windowS: 600)
}
type Subscription { ticks: Int @rateLimit(limit: 3, windowS: 600) }
`;

const OTHER = 'type Query { other: String } type Mutation { touch: String }';

/** What was executed, and what was told about who asks. */
export interface Executed {
  field: string;
  identity: CallIdentity;
}

export interface EdgeWorld extends AsyncDisposable {
  url: string;
  gateway: Gateway;
  executed: Executed[];
  /** How often a field was executed. */
  count(field: string): number;
  supergraphSdl: string;
}

interface Context {
  call: SubgraphCallOptions;
  change?: SessionChange;
}

/** Tokens that are good, and whose. */
export const TOKENS = { alice: 'access-token-of-alice', bob: 'access-token-of-bob' };

export const authenticate: Authenticate = async (authorization) => {
  if (authorization === undefined) return null;
  const name = Object.entries(TOKENS).find(([, token]) => authorization === `Bearer ${token}`)?.[0];
  if (!name) throw new SautiError('UNAUTHENTICATED', 'The access token is not valid.');
  return { viewer: { userId: `usr_${name}`, sessionId: `ses_${name}`, scopes: [] }, ...FAR_AWAY };
};

const FAR_AWAY = { endsAt: new Date(Date.now() + 3_600_000), issuedAt: new Date() };

export const SIGNED_IN = {
  accessToken: TOKENS.alice,
  refreshToken: 'refresh-token-of-alice',
  expiresAt: new Date(Date.now() + 600_000).toISOString(),
  sessionExpiresAt: new Date(Date.now() + 2_592_000_000).toISOString(),
};

/** A gateway before a subgraph that signs people in, and one that has nothing to do with it. */
export async function anEdgeWorld(mode: Mode, options: Partial<GatewayOptions> = {}): Promise<EdgeWorld> {
  const executed: Executed[] = [];
  const subgraphs = new Map([
    ['users', usersSubgraph(executed)],
    ['other', otherSubgraph(executed)],
  ]);
  const served = mode === 'over HTTP' ? await serveAll(subgraphs) : undefined;
  const supergraphSdl = compose({ users: USERS, other: OTHER }, served?.urls ?? {});
  const gateway = await createGateway({
    supergraphSdl,
    ...(served ? { signCall } : { subgraphs }),
    authenticate,
    clientFactsFor: ['users'],
    logger: silentLogger,
    development: false,
    ...options,
  });
  const { address } = await gateway.listen(0, '127.0.0.1');
  return {
    url: `http://127.0.0.1:${address.port}/graphql`,
    gateway,
    executed,
    supergraphSdl,
    count: (field) => executed.filter((each) => each.field === field).length,
    async [Symbol.asyncDispose]() {
      await gateway.stop();
      await served?.stop();
    },
  };
}

function usersSubgraph(executed: Executed[]): Subgraph {
  const note =
    (field: string, value: unknown, change?: SessionChange) =>
    (_parent: unknown, _args: unknown, context: Context): unknown => {
      executed.push({ field, identity: context.call.identity });
      if (change && context.call.identity.client?.cookies) context.change = change;
      return value;
    };
  return buildSubgraph<Context>({
    name: 'users',
    typeDefs: USERS,
    resolvers: {
      Query: {
        who: (_parent: unknown, _args: unknown, { call }: Context) => {
          executed.push({ field: 'who', identity: call.identity });
          return call.identity.viewer?.userId ?? null;
        },
        rare: note('rare', 'rare'),
        deep: () => ({}),
        thing: () => ({ __typename: 'Safe' }),
      },
      Deep: { secret: note('secret', 'secret') },
      Safe: { guarded: note('guarded', 'guarded'), watched: note('watched', 'watched') },
      Mutation: {
        signIn: note('signIn', 'in', { ...SIGNED_IN, deviceToken: 'device-token-of-alice' }),
        refresh: note('refresh', 'fresh', SIGNED_IN),
        signOut: note('signOut', true, 'ended'),
        change: note('change', 'changed'),
        upload: note('upload', true),
      },
      Subscription: {
        ticks: {
          async *subscribe(_parent: unknown, _args: unknown, { call }: Context) {
            executed.push({ field: 'ticks', identity: call.identity });
            yield { ticks: 1 };
          },
        },
      },
    },
    createContext: (call) => ({ call }),
    extensionsOf: ({ change }) => change && { session: change },
    logger: silentLogger,
    ready: async () => {},
  });
}

function otherSubgraph(executed: Executed[]): Subgraph {
  const note =
    (field: string) =>
    (_parent: unknown, _args: unknown, { call }: Context): string => {
      executed.push({ field, identity: call.identity });
      return field;
    };
  return buildSubgraph<Context>({
    name: 'other',
    typeDefs: OTHER,
    resolvers: { Query: { other: note('other') }, Mutation: { touch: note('touch') } },
    createContext: (call) => ({ call }),
    // Nobody asked it.
    extensionsOf: () => ({ session: 'ended' }),
    logger: silentLogger,
    ready: async () => {},
  });
}

function signCall(name: string, identity: CallIdentity, body: string): string {
  return signCallIdentity(deriveCallKey(SECRET, name), name, identity, body);
}

async function serveAll(subgraphs: ReadonlyMap<string, Subgraph>) {
  const servers: AsyncDisposable[] = [];
  const urls: Record<string, string> = {};
  for (const [name, subgraph] of subgraphs) {
    const callKey = deriveCallKey(SECRET, name);
    const server = await serveSubgraph({ subgraph, callKey, host: '127.0.0.1', port: 0, logger: silentLogger });
    servers.push(server);
    urls[name] = `http://127.0.0.1:${server.port}/graphql`;
  }
  const stop = async (): Promise<void> => {
    for (const server of servers) await server[Symbol.asyncDispose]();
  };
  return { urls, stop };
}

function compose(definitions: Record<string, string>, urls: Record<string, string>): string {
  const services = Object.entries(definitions).map(([name, typeDefs]) => ({
    name,
    url: urls[name] ?? 'http://unused.invalid',
    typeDefs: gql(typeDefs),
  }));
  const composed = composeServices(services);
  if (composed.errors) throw new Error(composed.errors.map(({ message }) => message).join('\n'));
  return composed.supergraphSdl;
}
