import { buildSubgraphSchema } from '@apollo/subgraph';
import { coerceInputValue, isInputObjectType, type GraphQLInputObjectType } from 'graphql';
import { gql } from 'graphql-tag';
import { ID_PREFIXES, newId, type IdPrefix } from '../../platform/ids';
import type { Viewer } from '../../platform/identity/viewer';
import { readRepositoryFile } from '../../platform/root';
import { ask, askFor } from '../../platform/testing/calls';
import { openTestPlatform, type TestPlatform } from '../../platform/testing/platform';
import { createUsersSubgraph, type UsersSubgraph } from './subgraph';
import { anAccount } from './testing-accounts';

let opened: TestPlatform;
let users: UsersSubgraph;
beforeAll(async () => {
  opened = await openTestPlatform();
  users = createUsersSubgraph(opened.platform);
});
afterAll(() => opened[Symbol.asyncDispose]());

describe('what only the server decides', () => {
  const FORBIDDEN = ['ownerId', 'roles', 'role', 'credits', 'state', 'status', 'createdAt', 'id', '__proto__'];
  /** Where a name of these is the very thing that the input is about. */
  const MEANT = [
    'CompleteOAuthInput.state',
    'IdInput.id',
    'UpdateUserAccessInput.roles',
    'UpdateUserAccessInput.status',
    'GrantCreditsInput.credits',
  ];

  test.each(['users', 'media', 'files', 'notification', 'translation'])('is in no input of %s', (slice) => {
    const inputs = inputsOf(slice).filter(({ name }) => !name.endsWith('Filter'));
    const open = inputs.flatMap((type) =>
      FORBIDDEN.filter((field) => isKnown(type, field)).map((field) => `${type.name}.${field}`),
    );
    expect(open.filter((field) => !MEANT.includes(field))).toEqual([]);
  });

  /** Whether a value with this field is let through to the resolvers. */
  function isKnown(type: GraphQLInputObjectType, field: string): boolean {
    const problems: string[] = [];
    coerceInputValue({ [field]: 'x' }, type, (_path, _value, { message }) => void problems.push(message));
    return !problems.some((message) => message.startsWith(`Field "${field}" is not defined by type "${type.name}"`));
  }

  function inputsOf(slice: string): GraphQLInputObjectType[] {
    const schema = buildSubgraphSchema({ typeDefs: gql(readRepositoryFile(`subgraphs/${slice}/schema.graphql`)) });
    return Object.values(schema.getTypeMap()).filter(isInputObjectType);
  }

  test('is refused in the variables of a mutation as well, and changes nothing', async () => {
    const { user, viewer } = await anAccount(opened.platform);
    const query = 'mutation ($input: UpdateProfileInput!) { updateProfile(input: $input) { user { id } } }';
    for (const more of [
      { roles: ['ADMIN'] },
      { id: newId('usr') },
      { ownerId: 'x' },
      { credits: 5 },
      { createdAt: 'x' },
    ]) {
      const { errors } = await ask(users, viewer, query, { input: { displayName: 'Neema', ...more } });
      expect(errors?.map(({ extensions }) => extensions?.['code'])).toEqual(['BAD_USER_INPUT']);
    }
    expect(await opened.platform.database.prisma.user.findUnique({ where: { id: user.id } })).toEqual(user);
  });
});

describe('ids', () => {
  const user = 'query ($id: ID!) { result: user(id: $id) { id } }';
  const revoke = 'mutation ($id: ID!) { result: revokeApiKey(input: { id: $id }) { errors { code message path } } }';
  const end = 'mutation ($id: ID!) { result: endSessions(input: { sessionId: $id }) { ended errors { code } } }';
  const answerTo = (query: string, id: string, viewer: Viewer) => ask(users, viewer, query, { id });

  /** The same id as others might take it. */
  const spellings = (id: string): string[] => [
    id.toUpperCase(),
    id.slice(0, 4) + id.slice(4).toUpperCase(),
    id.slice(4),
    ` ${id}`,
    `${id}\n`,
    `${id}\0`,
    Buffer.from(id).toString('base64'),
    Buffer.from(id).toString('base64url'),
    Buffer.from(`User:${id}`).toString('base64'),
    encodeURIComponent(id).replace('_', '%5F'),
    id.replace('_', '\uff3f'),
    id.replaceAll('0', 'o'),
    ...Object.keys(ID_PREFIXES)
      .filter((prefix) => !id.startsWith(prefix))
      .map((prefix) => prefix + id.slice(3)),
  ];

  test('in other spellings are unknown ids', async () => {
    const { viewer } = await anAccount(opened.platform);
    const keyId = newId('key');
    const key = { id: keyId, userId: viewer.userId, name: 'Robot', prefix: 'x', keyHash: keyId, scopes: [] };
    await opened.platform.database.prisma.apiKey.create({ data: key });
    const cases: [query: string, prefix: IdPrefix, id: string][] = [
      [user, 'usr', viewer.userId],
      [revoke, 'key', keyId],
      [end, 'ses', viewer.sessionId],
    ];
    for (const [query, prefix, id] of cases) {
      const unknown = await answerTo(query, newId(prefix), viewer);
      for (const spelling of spellings(id).filter((text) => text !== id))
        expect([spelling, await answerTo(query, spelling, viewer)]).toEqual([spelling, unknown]);
      expect(await answerTo(query, id, viewer)).not.toEqual(unknown);
    }
  });

  test('of ten thousand guesses around one none is known', async () => {
    const { viewer } = await anAccount(opened.platform);
    const { viewer: other } = await anAccount(opened.platform);
    const found: unknown[] = [];
    for (let first = 0; first < 10_000; first += 500) {
      const fields = Array.from({ length: 500 }, (_, index) => {
        const guess = first + index < 5_000 ? near(other.userId, first + index) : newId('usr');
        return `a${index}: user(id: "${guess}") { id }`;
      });
      const data = await askFor(users, viewer, `{ ${fields.join(' ')} }`);
      found.push(...Object.values(data).filter((value) => value !== null));
    }
    expect(found).toEqual([]);
  });

  /** The id, and those behind it. */
  function near(id: string, distance: number): string {
    const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
    const low = [...id.slice(-5)].reduce((sum, letter) => sum * 32 + alphabet.indexOf(letter), 0) + distance;
    const letters = [4, 3, 2, 1, 0].map((place) => alphabet[Math.floor(low / 32 ** place) % 32]!);
    return id.slice(0, -5) + letters.join('');
  }
});
