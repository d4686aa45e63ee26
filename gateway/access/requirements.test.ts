import { composeServices } from '@apollo/composition';
import { buildASTSchema, parse } from 'graphql';
import { gql } from 'graphql-tag';
import { readRequirements, type Requirements } from './requirements';

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@requires",
  "@external", "@interfaceObject", { name: "@authenticated", as: "@signedIn" }, "@requiresScopes"])`;

function composed(...subgraphs: string[]): { sdl: string | undefined; codes: unknown[] } {
  const { supergraphSdl, errors } = composeServices(
    subgraphs.map((types, index) => ({
      name: `s${index}`,
      url: 'http://s.invalid',
      typeDefs: gql(`${LINK}\n${types}`),
    })),
  );
  return { sdl: supergraphSdl, codes: (errors ?? []).map(({ extensions }) => extensions['code']) };
}

const read = (sdl: string): Requirements | undefined =>
  readRequirements(buildASTSchema(parse(sdl), { assumeValidSDL: true }));
const idsOf = (requirements: Requirements | undefined, coordinate: string): string[] | undefined => {
  const [type, field] = coordinate.split('.') as [string, string];
  return requirements
    ?.ofField(type, field)
    .map(({ id }) => id)
    .sort();
};

test('composition refuses rules on interfaces and interface objects, and fields that require what is better protected', () => {
  expect(
    composed('type Query { i: I }  interface I { a: Int @signedIn }  type T implements I { a: Int }').codes,
  ).toEqual(['AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE']);
  const chain = (rule: string): unknown[] =>
    composed(
      'type Query { t: T }  type T @key(fields: "id") { id: ID!  a: Int @requiresScopes(scopes: [["a"]]) }',
      `type T @key(fields: "id") { id: ID!  a: Int @external  b: Int @requires(fields: "a") ${rule} }`,
    ).codes;
  expect(chain('')).toEqual(['MISSING_TRANSITIVE_AUTH_REQUIREMENTS']);
  expect(chain('@requiresScopes(scopes: [["b"]])')).toEqual(['MISSING_TRANSITIVE_AUTH_REQUIREMENTS']);
  expect(chain('@requiresScopes(scopes: [["a"]])')).toEqual([]);
});

test('rules of all subgraphs count together, under whatever names the directives have', () => {
  const { sdl } = composed(
    'type Query { t: T }  type T @key(fields: "id") { id: ID!  a: Int @signedIn }',
    'type T @key(fields: "id") @requiresScopes(scopes: [["a"]]) { id: ID!  b: Int @requiresScopes(scopes: [["b"]]) }',
  );
  const requirements = read(sdl!);
  expect(idsOf(requirements, 'T.a')).toEqual(['authenticated', 'requiresScopes [["a"]]']);
  expect(idsOf(requirements, 'T.b')).toEqual(['requiresScopes [["a"]]', 'requiresScopes [["b"]]']);
  expect(idsOf(requirements, 'Query.t')).toEqual(['requiresScopes [["a"]]']);
});

test('what composition copies to an interface is not asked of implementations that do not have it', () => {
  const { sdl } = composed(
    'type Query { i: I }  interface I { a: Int }  type T implements I { a: Int @signedIn }  type U implements I { a: Int }',
  );
  expect(sdl).toMatch(/interface I[^}]*a: Int @signedIn|interface I[^}]*a: Int @authenticated/);
  expect(idsOf(read(sdl!), 'T.a')).toEqual(['authenticated']);
  expect(idsOf(read(sdl!), 'U.a')).toEqual([]);
});

test('a field of an interface object demands the same of every implementation', () => {
  const { sdl } = composed(
    'type Query { i: I }  interface I @key(fields: "id") { id: ID! }  type T implements I @key(fields: "id") { id: ID! }',
    'type I @interfaceObject @key(fields: "id") { id: ID!  b: Int @signedIn }',
  );
  expect(idsOf(read(sdl!), 'T.b')).toEqual(['authenticated']);
});

test('what an older composition left at an interface only counts for all implementations', () => {
  const requirements = read(`
    schema @link(url: "https://specs.apollo.dev/authenticated/v0.1", for: SECURITY) { query: Query }
    directive @authenticated on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
    type Query { i: I  j: J }
    interface I { a: Int @authenticated  b: Int }
    type T implements I { a: Int  b: Int }
    interface J @authenticated { a: Int }
    type U implements J { a: Int }`);
  expect(idsOf(requirements, 'T.a')).toEqual(['authenticated']);
  expect(idsOf(requirements, 'T.b')).toEqual([]);
  expect(idsOf(requirements, 'U.a')).toEqual(['authenticated']);
  expect(idsOf(requirements, 'Query.j')).toEqual(['authenticated']);
  expect(requirements!.ofType('U').map(({ id }) => id)).toEqual(['authenticated']);
});

test('directives of these names that no link names are somebody else’s, and a schema without rules demands nothing', () => {
  expect(read('directive @authenticated on FIELD_DEFINITION  type Query { a: Int @authenticated }')).toBeUndefined();
});
