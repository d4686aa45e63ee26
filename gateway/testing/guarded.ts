import type { AuthorizationOptions } from '../access/access';
import { aGatewayOver, type TestSubgraph } from './compose';

/** A gateway over subgraphs in which much is not for everybody; `calls` has what they were asked. */
export type GuardedWorld = Awaited<ReturnType<typeof aGatewayOver>> & { webSocketUrl: string };

/** Somebody whose token says these scopes. A policy holds for whoever has a scope of its name, unless said otherwise. */
export async function guardedWorld(authorization: AuthorizationOptions = BY_SCOPE): Promise<GuardedWorld> {
  const world = await aGatewayOver(SUBGRAPHS, {
    authorization,
    authenticate: async (given) => {
      if (given === undefined) return null;
      const scopes = given.slice('Bearer '.length).split(' ').filter(Boolean);
      return {
        viewer: { userId: 'u', sessionId: 's', scopes },
        issuedAt: new Date(),
        endsAt: new Date(Date.now() + 600_000),
      };
    },
  });
  return Object.assign(world, { webSocketUrl: world.url.replace(/^http/, 'ws') });
}

const BY_SCOPE: AuthorizationOptions = {
  policies: (names, { identity }) => names.filter((name) => identity.viewer?.scopes.includes(name)),
};

export function authorizationOf(scopes: readonly string[]): string {
  return `Bearer ${scopes.join(' ')}`;
}

export interface GuardedAnswer {
  status: number;
  body: {
    data?: Record<string, unknown> | null;
    errors?: { message: string; path?: (string | number)[]; extensions: { code: string } }[];
  };
}

/** Asks by POST; anonymous without `scopes`. */
export async function ask(
  { url }: Pick<GuardedWorld, 'url'>,
  query: string,
  { scopes, ...rest }: { scopes?: readonly string[]; variables?: object; operationName?: string } = {},
): Promise<GuardedAnswer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(scopes ? { authorization: authorizationOf(scopes) } : {}) },
    body: JSON.stringify({ query, ...rest }),
  });
  return { status: response.status, body: (await response.json()) as GuardedAnswer['body'] };
}

const PII = '@requiresScopes(scopes: [["read", "pii"], ["admin"]])';
const ada = { id: 'ada', name: 'Ada', email: 'ada@example.org', salary: 7 };
const bob = { id: 'bob', name: 'Bob', email: 'bob@example.org', salary: 8 };
const THINGS = [
  { __typename: 'Book', id: 'b', name: 'Book', hidden: 'book' },
  { __typename: 'Film', id: 'f', name: 'Film', hidden: 'film' },
  { __typename: 'Vault', id: 'v', name: 'Vault', hidden: 'vault' },
];
const thingOf = ({ id }: { id: string }) => THINGS.find((thing) => thing.id === id) ?? null;
const abstract = { __resolveType: ({ __typename }: { __typename: string }) => __typename };

const SUBGRAPHS: Record<string, TestSubgraph> = {
  main: {
    typeDefs: `
      type Query {
        open: String  member: String @authenticated  locked: String @requiresScopes(scopes: [["admin"]])  me: Person  people: [Person!]!  many: [Person!]!
        secret: Secret  code: Code  mood: Mood  moods: [Mood!]  things: [Thing]!  any: [Any]!  node(id: ID!): Thing
      }
      type Mutation { touch: Int  write: Int @requiresScopes(scopes: [["write"]])  must: Int! @requiresScopes(scopes: [["write"]]) }
      type Person @key(fields: "id") { id: ID!  name: String  email: String ${PII}  salary: Int! @requiresScopes(scopes: [["admin"]])  friend: Person }
      type Secret @requiresScopes(scopes: [["admin"]]) { text: String }
      scalar Code @requiresScopes(scopes: [["code"]])
      enum Mood @requiresScopes(scopes: [["admin"]]) { GOOD }
      interface Thing { id: ID!  name: String  hidden: String }
      type Book implements Thing @key(fields: "id") { id: ID!  name: String  hidden: String @requiresScopes(scopes: [["read"]]) }
      type Film implements Thing @key(fields: "id") { id: ID!  name: String  hidden: String }
      type Vault implements Thing @key(fields: "id") @requiresScopes(scopes: [["vault"]]) { id: ID!  name: String  hidden: String }
      union Any = Book | Film | Vault`,
    resolvers: {
      Query: {
        open: () => 'open',
        member: () => 'member',
        locked: () => 'locked',
        me: () => ({ ...ada, friend: bob }),
        people: () => [ada, bob],
        many: () => Array.from({ length: 150 }, () => ada),
        secret: () => ({ text: 'secret' }),
        code: () => 'code',
        mood: () => 'GOOD',
        moods: () => ['GOOD'],
        things: () => THINGS,
        any: () => THINGS,
        node: (_: unknown, given: { id: string }) => thingOf(given),
      },
      Mutation: { touch: () => 1, write: () => 2, must: () => 3 },
      Person: { __resolveReference: ({ id }: { id: string }) => (id === 'ada' ? { ...ada, friend: bob } : bob) },
      Thing: abstract,
      Any: abstract,
      Book: { __resolveReference: thingOf },
      Film: { __resolveReference: thingOf },
      Vault: { __resolveReference: thingOf },
    },
  },
  reviews: {
    typeDefs: `
      type Query { latest: [Review!]! }
      type Review { about: About }
      union About = Book | Vault
      type Book @key(fields: "id") { id: ID!  rating: Int  notes: String @policy(policies: [["staff"]]) }
      type Vault @key(fields: "id") { id: ID!  weight: Int }
      type Person @key(fields: "id") { id: ID!  email: String @external
        reviews: [String] @requiresScopes(scopes: [["admin"]])  rank: Int @requires(fields: "email") ${PII} }`,
    resolvers: {
      Query: { latest: () => ['b', 'v'].map((id) => ({ about: { __typename: id === 'b' ? 'Book' : 'Vault', id } })) },
      About: abstract,
      Book: { rating: () => 5, notes: () => 'dull' },
      Vault: { weight: () => 100 },
      Person: { reviews: () => ['good'], rank: ({ email }: { email: string }) => email.length },
    },
  },
};
