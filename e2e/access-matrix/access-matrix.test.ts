import { newId } from '../../platform/ids';
import { belongingsOf } from './belongings';
import { ENTITY_RULES } from './entities';
import { anAccount, IDENTITIES, type Account, type Identity } from './identities';
import { LIST_RULES, PUBLIC_LISTS } from './lists';
import { placesOfTheGraph, type Places, type SubgraphName } from './places';
import { Routes, ROUTES, type Caller, type Operation, type Route } from './routes';
import { prefixOf, type Belongings, type Rule } from './rule';
import { PUBLIC_PLACES, RULES } from './rules';
import { stateOf } from './state';
import { openWorld, type World } from './world';

const STRANGERS = IDENTITIES.filter((identity) => identity !== 'owner');

let places: Places;
let world: World;
let routes: Routes;
let accounts: Record<'owner' | 'other' | 'shared-with' | 'administrator', Account>;
/** What each has; anonymous callers and those whose proof has expired name the owner's things. */
let theirs: Record<'owner' | 'other' | 'shared-with' | 'administrator', Belongings>;
/** What somebody had who is gone, with all of it. */
let deleted: Belongings;

beforeAll(async () => {
  places = await placesOfTheGraph();
  world = await openWorld();
  routes = new Routes(world);
  const { slice, platform } = world;
  accounts = {
    owner: await anAccount(platform, 'owner'),
    other: await anAccount(platform, 'other'),
    'shared-with': await anAccount(platform, 'shared-with'),
    administrator: await anAccount(platform, 'administrator', 'ADMIN'),
  };
  theirs = {
    owner: await belongingsOf(slice, accounts.owner),
    other: await belongingsOf(slice, accounts.other),
    'shared-with': await belongingsOf(slice, accounts['shared-with']),
    administrator: await belongingsOf(slice, accounts.administrator),
  };
  const gone = await anAccount(platform, 'gone');
  deleted = await belongingsOf(slice, gone);
  await world.forget(gone.viewer.userId);
});
afterAll(async () => {
  await routes[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

function callerOf(identity: Identity): Caller {
  if (identity === 'anonymous') return { viewer: null, isExpired: false };
  if (identity === 'expired') return { viewer: accounts.owner.viewer, isExpired: true };
  return { viewer: accounts[identity].viewer, isExpired: false };
}

function belongingsFor(identity: Identity): Belongings {
  return theirs[identity === 'anonymous' || identity === 'expired' ? 'owner' : identity];
}

/** What came back, without the id that was asked for and the ids of requests. */
async function answer(
  route: Route,
  caller: Caller,
  { variables, document, subgraph, upload }: Pick<Rule, 'variables' | 'document' | 'subgraph' | 'upload'>,
  id: string,
  own: Belongings,
): Promise<string> {
  const operation: Operation = { subgraph, document, variables: variables(id, own), upload };
  const text = await routes.ask(route, caller, operation);
  return text.replaceAll(id, 'ID').replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'REQUEST');
}

describe('the rules', () => {
  test('name every place of the composed schema that takes an id, and no other', () => {
    expect([...Object.keys(RULES), ...PUBLIC_PLACES].sort()).toEqual(places.ids);
  });

  test('name every entity that a subgraph resolves, and no other', () => {
    expect(Object.keys(ENTITY_RULES).sort()).toEqual(places.entities);
  });

  test('name every list at the root, and no other', () => {
    expect([...Object.keys(LIST_RULES), ...PUBLIC_LISTS].sort()).toEqual(places.lists);
  });
});

describe.each(ROUTES)('by %s', (route) => {
  test.each(Object.entries(RULES))('%s: a foreign, a deleted and an unknown id are answered alike', async (_, rule) => {
    const before = await stateOf(world.platform);
    for (const identity of STRANGERS) {
      if (identity === 'administrator' && rule.administrator === 'as owner') continue;
      const [caller, own] = [callerOf(identity), belongingsFor(identity)];
      const unknown = await answer(route, caller, rule, newId(prefixOf(rule.kind)), own);
      const ids = { foreign: theirs.owner[rule.kind], deleted: deleted[rule.kind] };
      for (const [what, id] of Object.entries(ids))
        expect([identity, what, await answer(route, caller, rule, id, own)]).toEqual([identity, what, unknown]);
    }
    expect(await stateOf(world.platform)).toEqual(before);
  });

  test.each(Object.entries(RULES))('%s: who may is answered otherwise', async (_, rule) => {
    // A file cannot come by a socket: there everybody is refused alike.
    if (rule.upload && route === 'gateway WebSocket') return;
    const identity = rule.administratorsOnly ? 'administrator' : 'owner';
    const caller = callerOf(identity);
    const own = await belongingsOf(world.slice, accounts.owner);
    const unknown = await answer(route, caller, rule, newId(prefixOf(rule.kind)), own);
    expect(await answer(route, caller, rule, own[rule.kind], own)).not.toBe(unknown);
  });
});

describe('by _entities', () => {
  const asked = (place: string, shown: string): Pick<Rule, 'variables' | 'document' | 'subgraph'> => {
    const [type, subgraph] = place.split('@') as [string, SubgraphName];
    return {
      subgraph,
      document: `query Read($of: [_Any!]!) { _entities(representations: $of) { __typename ... on ${type} { ${shown} } } }`,
      variables: (id) => ({ of: [{ __typename: type, id }] }),
    };
  };
  const owned = Object.entries(ENTITY_RULES).flatMap(([place, rule]) =>
    rule.kind ? [[place, { ...rule, kind: rule.kind }] as const] : [],
  );

  test.each(owned)('%s: a foreign, a deleted and an unknown id are answered alike', async (place, rule) => {
    for (const identity of STRANGERS) {
      if (identity === 'administrator' && rule.administrator === 'as owner') continue;
      const [caller, own] = [callerOf(identity), belongingsFor(identity)];
      const go = (id: string) => answer('subgraph', caller, asked(place, rule.shown), id, own);
      const unknown = await go(newId(prefixOf(rule.kind)));
      expect([identity, await go(theirs.owner[rule.kind])]).toEqual([identity, unknown]);
      expect([identity, await go(deleted[rule.kind])]).toEqual([identity, unknown]);
    }
  });

  test.each(owned)('%s: who may is answered otherwise', async (place, rule) => {
    const caller = callerOf(rule.administratorsOnly ? 'administrator' : 'owner');
    const go = (id: string) => answer('subgraph', caller, asked(place, rule.shown), id, theirs.owner);
    expect(await go(theirs.owner[rule.kind])).not.toBe(await go(newId(prefixOf(rule.kind))));
  });
});

describe('lists', () => {
  const read = (identity: Identity, place: string, after: string | null = null): Promise<string> =>
    routes.ask('gateway HTTP', callerOf(identity), {
      subgraph: 'media',
      document: LIST_RULES[place]!.document,
      variables: { after },
    });
  const cursorsIn = (answer: string): string[] =>
    [...answer.matchAll(/"(?:cursor|startCursor|endCursor)":"([^"]+)"/g)].map(([, cursor]) => cursor!);
  const idsOf = (...owned: Belongings[]): string[] => owned.flatMap((one) => Object.values(one));
  const owned = Object.keys(LIST_RULES).filter((place) => !LIST_RULES[place]!.administratorsOnly);
  const forAdministrators = Object.keys(LIST_RULES).filter((place) => LIST_RULES[place]!.administratorsOnly);

  test.each(owned)('%s is the same whatever others have, and holds what is its reader’s', async (place) => {
    const before = await read('other', place);
    const added = await belongingsOf(world.slice, accounts.owner);
    expect(await read('other', place)).toBe(before);
    expect(idsOf(theirs.other).some((id) => before.includes(id)) || place === 'Query.search').toBe(true);
    expect(idsOf(theirs.owner, added).filter((id) => before.includes(id))).toEqual([]);
  });

  test.each(owned)('%s shows nothing of the one from whom a cursor is', async (place) => {
    const cursors = [...new Set(cursorsIn(await read('owner', place)))];
    expect(cursors.length).toBeGreaterThan(0);
    for (const cursor of cursors.slice(0, 10)) {
      const answer = await read('other', place, cursor);
      expect(idsOf(theirs.owner).filter((id) => answer.includes(id))).toEqual([]);
    }
  });

  test.each([...owned, ...forAdministrators])('%s takes no cursor that was made up', async (place) => {
    const [cursor = ''] = cursorsIn(await read('administrator', place));
    const made = [`${cursor}x`, cursor.slice(0, -2), 'eyJpZCI6IjEifQ', "' or 1=1 --", '0', '\u0000', 'A'.repeat(5_000)];
    for (const forged of made) {
      const answer = await read('administrator', place, forged);
      expect([forged, answer]).not.toEqual([forged, expect.stringMatching(/INTERNAL/)]);
      expect(idsOf(theirs.owner, theirs.other).filter((id) => answer.includes(id) && owned.includes(place))).toEqual(
        [],
      );
    }
  });

  test.each(owned)('%s is refused to whoever is not signed in', async (place) => {
    expect(await read('anonymous', place)).toMatch(/UNAUTHENTICATED/);
    expect(await read('expired', place)).toMatch(/^401 .*UNAUTHENTICATED/s);
  });

  test.each(forAdministrators)('%s is for administrators', async (place) => {
    expect(await read('administrator', place)).toMatch(/"edges":\[\{"cursor"/);
    expect(await read('other', place)).toMatch(/FORBIDDEN/);
    expect(await read('anonymous', place)).toMatch(/UNAUTHENTICATED/);
  });
});
