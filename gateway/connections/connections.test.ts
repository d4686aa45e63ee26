import { GraphQLError } from 'graphql';
import { SautiError } from '../../platform/errors';
import type { VerifiedToken } from '../../platform/identity/access-token';
import { silentLogger, type Logger } from '../../platform/logger';
import type { Authenticate, EndedSessions } from '../options';
import { createConnections, type Connections, type OpenConnection } from './connections';

const MINUTE = 60_000;

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

function aToken(userId: string, sessionId: string, livesMs = 10 * MINUTE): VerifiedToken {
  return { viewer: { userId, sessionId, scopes: [] }, endsAt: new Date(Date.now() + livesMs) };
}

/** Takes `Bearer <user> <session> <minutes>` at its word. */
const authenticate: Authenticate = async (authorization) => {
  const [, user, session, minutes] = /^Bearer (\w+) (\w+) (\d+)$/.exec(authorization ?? '') ?? [];
  if (authorization === undefined) return null;
  if (!user || !session) throw new SautiError('UNAUTHENTICATED', 'The token is not valid.');
  return aToken(user, session, Number(minutes) * MINUTE);
};

function someConnections(
  options: { endedSessions?: EndedSessions; logger?: Logger; most?: number; places?: number } = {},
): Connections {
  return createConnections({
    authenticate,
    endedSessions: options.endedSessions,
    limits: { maxConnections: options.places ?? 5_000, maxConnectionsPerUser: options.most ?? 3 },
    logger: options.logger ?? silentLogger,
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

describe('sessions that end', () => {
  test('end their connections, and only theirs, within 5 s', async () => {
    const ended = new Set<string>();
    const asked: (readonly string[])[] = [];
    await using connections = someConnections({
      endedSessions: async (ids) => {
        asked.push(ids);
        return ids.filter((id) => ended.has(id));
      },
    });
    const one = opened(connections, aToken('ada', 'one'));
    const same = opened(connections, aToken('ada', 'one'));
    const other = opened(connections, aToken('ada', 'two'));
    const anonymous = opened(connections, null);
    await jest.advanceTimersByTimeAsync(4_000);
    expect(asked).toEqual([
      ['one', 'two'],
      ['one', 'two'],
    ]);
    ended.add('one');
    await jest.advanceTimersByTimeAsync(5_000);
    expect([one, same, other, anonymous].map(({ heard }) => heard)).toEqual([
      ['SESSION_ENDED'],
      ['SESSION_ENDED'],
      [],
      [],
    ]);
  });

  test('are asked for in batches, and not while nobody has a connection', async () => {
    const asked: number[] = [];
    await using connections = someConnections({
      endedSessions: async (ids) => {
        asked.push(ids.length);
        return [];
      },
    });
    opened(connections, null);
    await jest.advanceTimersByTimeAsync(10_000);
    expect(asked).toEqual([]);
    const many = Array.from({ length: 2_500 }, (_, n) => opened(connections, aToken(`u${n}`, `s${n}`)));
    await jest.advanceTimersByTimeAsync(2_000);
    expect(asked.splice(0)).toEqual([1_000, 1_000, 500]);
    for (const connection of many) connection.close();
    await jest.advanceTimersByTimeAsync(10_000);
    expect(asked).toEqual([]);
  });

  test('are not asked for again while an answer is awaited; one that never comes is given up', async () => {
    let questions = 0;
    const lines: string[] = [];
    await using connections = someConnections({
      logger: { ...silentLogger, error: (_, message) => lines.push(message) },
      endedSessions: (ids) => (++questions === 1 ? new Promise(() => {}) : Promise.resolve(ids)),
    });
    const { heard } = opened(connections, aToken('ada', 's'));
    await jest.advanceTimersByTimeAsync(6_500);
    expect(questions).toBe(1);
    await jest.advanceTimersByTimeAsync(5_000);
    expect(heard).toEqual(['SESSION_ENDED']);
    expect(lines).toHaveLength(1);
  });

  test('a host that cannot say is logged once, and once when it can again', async () => {
    let isDown = true;
    const lines: string[] = [];
    const log = (_: object, message: string): void => void lines.push(message);
    await using connections = someConnections({
      logger: { ...silentLogger, error: log, info: log },
      endedSessions: async () => {
        if (isDown) throw new Error('down');
        return [];
      },
    });
    const { heard } = opened(connections, aToken('ada', 's'));
    await jest.advanceTimersByTimeAsync(20_000);
    expect(lines).toEqual(['ended sessions cannot be asked for; their connections stay open']);
    isDown = false;
    await jest.advanceTimersByTimeAsync(20_000);
    expect(lines.slice(1)).toEqual(['ended sessions are known again']);
    expect(heard).toEqual([]);
  });

  test('a renewal with a token of another session keeps the connection', async () => {
    await using connections = someConnections({ endedSessions: async (ids) => ids.filter((id) => id === 'one') });
    const { id, heard } = opened(connections, aToken('ada', 'one'));
    await connections.renew(id, 'Bearer ada two 5');
    await jest.advanceTimersByTimeAsync(5_000);
    expect(heard).toEqual(['renewed by two: Bearer ada two 5']);
  });
});

test('disposal ends all connections and refuses others', async () => {
  const connections = someConnections({ endedSessions: async () => [] });
  const both = [opened(connections, aToken('ada', 's')), opened(connections, null)];
  await connections[Symbol.asyncDispose]();
  expect(both.map(({ heard }) => heard)).toEqual([['GOING_AWAY'], ['GOING_AWAY']]);
  expect(connections.size).toBe(0);
  expect(() => opened(connections, null)).toThrow(
    expect.objectContaining({ extensions: { code: 'STOPPING' } }) as Error,
  );
  expect(jest.getTimerCount()).toBe(0);
});
