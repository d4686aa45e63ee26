import { GraphQLError } from 'graphql';
import { SautiError } from '../../platform/errors';
import type { VerifiedToken } from '../../platform/identity/access-token';
import { silentLogger } from '../../platform/logger';
import type { Authenticate } from '../options';
import { NewsDesk } from '../testing/news-desk';
import { watchAccess } from '../viewer/access-watch';
import { createConnections, type Connections, type OpenConnection } from './connections';

const MINUTE = 60_000;

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

function aToken(userId: string, sessionId: string, livesMs = 10 * MINUTE): VerifiedToken {
  return { viewer: { userId, sessionId, scopes: [] }, issuedAt: new Date(), endsAt: new Date(Date.now() + livesMs) };
}

/** Takes `Bearer <user> <session> <minutes>` at its word. */
const authenticate: Authenticate = async (authorization) => {
  const [, user, session, minutes] = /^Bearer (\w+) (\w+) (\d+)$/.exec(authorization ?? '') ?? [];
  if (authorization === undefined) return null;
  if (!user || !session) throw new SautiError('UNAUTHENTICATED', 'The token is not valid.');
  return aToken(user, session, Number(minutes) * MINUTE);
};

/** Those of a gateway that hears of access changes from `desk`. */
function someConnections(options: { desk?: NewsDesk; most?: number; places?: number } = {}): Connections {
  const access = watchAccess({ accessChanges: options.desk?.changes, logger: silentLogger });
  const connections = createConnections({
    authenticate,
    access,
    limits: { maxConnections: options.places ?? 5_000, maxConnectionsPerUser: options.most ?? 3 },
  });
  const dispose = connections[Symbol.asyncDispose].bind(connections);
  return Object.defineProperty(connections, Symbol.asyncDispose, {
    value: async () => {
      await dispose();
      await access[Symbol.asyncDispose]();
    },
  });
}

/** Opens a connection and writes down what it is told. */
function opened(connections: Connections, token: VerifiedToken | null): OpenConnection & { heard: string[] } {
  const heard: string[] = [];
  const connection = connections.open({
    token,
    hasPlace: false,
    onRenewed: ({ viewer }, authorization) => heard.push(`renewed by ${viewer.sessionId}: ${authorization}`),
    onExpiring: (endsAt) => heard.push(`expiring in ${endsAt.getTime() - Date.now()}`),
    onEnd: (reason) => heard.push(reason),
  });
  if (connection instanceof GraphQLError) throw connection;
  return Object.assign(connection, { heard });
}

describe('the number of connections', () => {
  test('one more than a user may have is refused, others are not, and a place is free again after closing', async () => {
    await using connections = someConnections();
    const mine = [1, 2, 3].map(() => opened(connections, aToken('ada', 's')));
    expect(() => opened(connections, aToken('ada', 'other'))).toThrow(
      expect.objectContaining({ extensions: { code: 'SUBSCRIPTION_LIMIT' } }) as Error,
    );
    opened(connections, aToken('grace', 's'));
    mine[0]!.close();
    mine[0]!.close();
    opened(connections, aToken('ada', 's'));
    expect(() => opened(connections, aToken('ada', 's'))).toThrow('At most 3');
    expect(connections.size).toBe(4);
  });

  test('anonymous connections are not counted for anybody', async () => {
    await using connections = someConnections();
    for (let count = 0; count < 10; count++) opened(connections, null);
    expect(connections.size).toBe(10);
  });

  test('one more than the process may have is refused, whoever it is of, until a place is free', async () => {
    await using connections = someConnections({ places: 2 });
    const first = opened(connections, null);
    connections.places.take();
    for (const token of [null, aToken('ada', 's')])
      expect(() => opened(connections, token)).toThrow(
        expect.objectContaining({ extensions: { code: 'OVERLOADED' } }) as Error,
      );
    first.close();
    first.close();
    opened(connections, null);
    expect(() => opened(connections, null)).toThrow('Too many connections');
    connections.places.giveBack();
    opened(connections, aToken('ada', 's'));
  });

  test('ids do not repeat', async () => {
    await using connections = someConnections();
    const ids = Array.from({ length: 100 }, () => opened(connections, null).id);
    expect(new Set(ids).size).toBe(100);
    expect(ids[0]).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('the end of a token', () => {
  test('is announced a minute before, once, and ends the connection', async () => {
    await using connections = someConnections();
    const long = opened(connections, aToken('ada', 'long', 20 * MINUTE));
    const short = opened(connections, aToken('ada', 'short', 5 * MINUTE));
    jest.advanceTimersByTime(4 * MINUTE - 1);
    expect(short.heard).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(short.heard).toEqual(['expiring in 60000']);
    jest.advanceTimersByTime(MINUTE - 1);
    expect(short.heard).toHaveLength(1);
    jest.advanceTimersByTime(1);
    expect(short.heard).toEqual(['expiring in 60000', 'TOKEN_EXPIRED']);
    expect(long.heard).toEqual([]);
    expect(connections.size).toBe(1);
  });

  test('is announced at once when there is less time', async () => {
    await using connections = someConnections();
    const { heard } = opened(connections, aToken('ada', 's', 10_000));
    jest.advanceTimersByTime(20);
    expect(heard).toEqual(['expiring in 9980']);
  });

  test('may be further away than a timer can wait', async () => {
    await using connections = someConnections();
    const endless = opened(connections, { ...aToken('ada', 's'), endsAt: new Date(8e15) });
    jest.advanceTimersByTime(100 * 24 * 60 * MINUTE);
    expect(endless.heard).toEqual([]);
  });

  test('does not concern one that closed before', async () => {
    await using connections = someConnections();
    const closed = opened(connections, aToken('ada', 's', 2 * MINUTE));
    closed.close();
    jest.advanceTimersByTime(3 * MINUTE);
    expect(closed.heard).toEqual([]);
  });
});

describe('renewal', () => {
  test('by the same user takes over session and end, and the end is announced again', async () => {
    await using connections = someConnections();
    const { id, heard } = opened(connections, aToken('ada', 'one', 2 * MINUTE));
    jest.advanceTimersByTime(MINUTE);
    const endsAt = await connections.renew(id, 'Bearer ada two 5');
    expect(endsAt.getTime()).toBe(Date.now() + 5 * MINUTE);
    expect(heard.splice(0)).toEqual(['expiring in 60000', 'renewed by two: Bearer ada two 5']);
    jest.advanceTimersByTime(4 * MINUTE);
    expect(heard.splice(0)).toEqual(['expiring in 60000']);
    jest.advanceTimersByTime(MINUTE);
    expect(heard).toEqual(['TOKEN_EXPIRED']);
  });

  test('of two under way at once the one whose token ends later is kept', async () => {
    await using connections = someConnections();
    const { id, heard } = opened(connections, aToken('ada', 'one', 2 * MINUTE));
    const ends = await Promise.all([
      connections.renew(id, 'Bearer ada two 9'),
      connections.renew(id, 'Bearer ada two 5'),
    ]);
    expect(ends.map((end) => end.getTime() - Date.now())).toEqual([9 * MINUTE, 9 * MINUTE]);
    expect(heard).toEqual(['renewed by two: Bearer ada two 9']);
    // One that begins later is what the client wants.
    expect((await connections.renew(id, 'Bearer ada two 5')).getTime() - Date.now()).toBe(5 * MINUTE);
  });

  test.each([
    ['a token that is not good', 'UNAUTHENTICATED', 'Bearer nonsense', 'mine'],
    ['no token', 'UNAUTHENTICATED', undefined, 'mine'],
    ['another user', 'NOT_FOUND', 'Bearer grace s 5', 'mine'],
    ['an unknown id', 'NOT_FOUND', 'Bearer ada s 5', 'unknown'],
    ['the id of an anonymous connection', 'NOT_FOUND', 'Bearer ada s 5', 'anonymous'],
    ['the id of a closed connection', 'NOT_FOUND', 'Bearer ada s 5', 'closed'],
  ])('with %s is refused with %s, and the token before goes on', async (_, code, authorization, which) => {
    await using connections = someConnections();
    const mine = opened(connections, aToken('ada', 'one', 2 * MINUTE));
    const closed = opened(connections, aToken('ada', 'one'));
    closed.close();
    const ids: Record<string, string> = {
      mine: mine.id,
      unknown: '__proto__',
      anonymous: opened(connections, null).id,
      closed: closed.id,
    };
    await expect(connections.renew(ids[which]!, authorization)).rejects.toMatchObject({ code });
    jest.advanceTimersByTime(2 * MINUTE);
    expect(mine.heard).toEqual(['expiring in 60000', 'TOKEN_EXPIRED']);
  });
});

describe('access changes', () => {
  /** Until what was told has been heard. */
  const heard = (): Promise<void> => jest.advanceTimersByTimeAsync(0);

  test('end the connections of a session that has ended, and only those, at once', async () => {
    const desk = new NewsDesk();
    await using connections = someConnections({ desk });
    const one = opened(connections, aToken('ada', 'one'));
    const same = opened(connections, aToken('ada', 'one'));
    const other = opened(connections, aToken('ada', 'two'));
    const anonymous = opened(connections, null);
    await heard();
    desk.ended('one');
    await heard();
    expect([one, same, other, anonymous].map(({ heard }) => heard)).toEqual([
      ['SESSION_ENDED'],
      ['SESSION_ENDED'],
      [],
      [],
    ]);
    desk.ended('one');
    await heard();
    expect([one.heard, connections.size]).toEqual([['SESSION_ENDED'], 2]);
  });

  test('end the connections of an account whose tokens were issued before, and no younger ones', async () => {
    const desk = new NewsDesk();
    await using connections = someConnections({ desk });
    const before = opened(connections, aToken('ada', 'one'));
    const others = opened(connections, aToken('grace', 'three'));
    jest.advanceTimersByTime(1_000);
    const at = new Date();
    const after = opened(connections, aToken('ada', 'two'));
    await heard();
    desk.changed('ada', at);
    await heard();
    expect([before, after, others].map(({ heard }) => heard)).toEqual([['ACCESS_CHANGED'], [], []]);
  });

  test('refuse a connection whose token became void since it was verified, and its renewal', async () => {
    const desk = new NewsDesk();
    await using connections = someConnections({ desk });
    const { id, heard: told } = opened(connections, aToken('ada', 'one'));
    await heard();
    desk.ended('two');
    await heard();
    expect(() => opened(connections, aToken('ada', 'two'))).toThrow(
      expect.objectContaining({ extensions: { code: 'UNAUTHENTICATED' } }) as Error,
    );
    await expect(connections.renew(id, 'Bearer ada two 5')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(told).toEqual([]);
    expect(connections.size).toBe(1);
  });

  test('concern the session of the last renewal, and no earlier one', async () => {
    const desk = new NewsDesk();
    await using connections = someConnections({ desk });
    const { id, heard: told } = opened(connections, aToken('ada', 'one'));
    await connections.renew(id, 'Bearer ada two 5');
    await heard();
    desk.ended('one');
    await heard();
    expect(told.splice(0)).toEqual(['renewed by two: Bearer ada two 5']);
    desk.ended('two');
    await heard();
    expect(told).toEqual(['SESSION_ENDED']);
  });
});

test('disposal ends all connections and refuses others', async () => {
  const connections = someConnections({ desk: new NewsDesk() });
  const both = [opened(connections, aToken('ada', 's')), opened(connections, null)];
  await connections[Symbol.asyncDispose]();
  expect(both.map(({ heard }) => heard)).toEqual([['GOING_AWAY'], ['GOING_AWAY']]);
  expect(connections.size).toBe(0);
  expect(() => opened(connections, null)).toThrow(
    expect.objectContaining({ extensions: { code: 'STOPPING' } }) as Error,
  );
  expect(jest.getTimerCount()).toBe(0);
});
