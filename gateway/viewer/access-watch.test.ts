import type { AccessNews } from '../../platform/identity/access-change';
import type { VerifiedToken } from '../../platform/identity/access-token';
import { silentLogger } from '../../platform/logger';
import { waitFor } from '../../platform/testing/wait';
import type { Authenticate } from '../options';
import { NewsDesk } from '../testing/news-desk';
import { refusingVoid, watchAccess, type AccessWatch } from './access-watch';

const ISSUED_AT = new Date('2026-11-26T12:00:00.500Z');

function aToken(userId: string, sessionId: string, issuedAt = ISSUED_AT): VerifiedToken {
  const endsAt = new Date(issuedAt.getTime() + 630_000);
  return { viewer: { userId, sessionId, scopes: [] }, issuedAt, endsAt };
}

/** Follows `desk`, and writes down what is logged. */
function watching(desk: NewsDesk, silenceMs?: number): AccessWatch & { lines: string[]; heard: AccessNews[] } {
  const lines: string[] = [];
  const heard: AccessNews[] = [];
  const log = (_: object, message: string): void => void lines.push(message);
  const logger = { ...silentLogger, error: log, info: log };
  const watch = watchAccess({ accessChanges: desk.changes, logger, silenceMs, clock: () => ISSUED_AT });
  watch.onChange((news) => heard.push(news));
  return Object.assign(Object.create(watch) as AccessWatch, { lines, heard });
}

const authenticate: Authenticate = async (authorization) => (authorization ? aToken('ada', 'one') : null);

test('tokens of a session that has ended are void, and no others', async () => {
  const desk = new NewsDesk();
  await using watch = watching(desk);
  await watch.untilKnown();
  desk.ended('one');
  await waitFor('the news', () => watch.isVoid(aToken('ada', 'one')));
  expect(watch.isVoid(aToken('ada', 'two'))).toBe(false);
  const guarded = refusingVoid(authenticate, watch);
  await expect(guarded('Bearer x')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  expect(await guarded(undefined)).toBeNull();
});

test('tokens issued before the rights of their account changed are void, to the millisecond', async () => {
  const desk = new NewsDesk();
  desk.begin.unshift({ kind: 'changed', userId: 'ada', at: ISSUED_AT.toISOString() });
  await using watch = watching(desk);
  const issued = (ms: number): VerifiedToken => aToken('ada', 'one', new Date(ISSUED_AT.getTime() + ms));
  await waitFor('the news', () => watch.isVoid(issued(-1)));
  expect([issued(0), issued(1)].map((token) => watch.isVoid(token))).toEqual([false, false]);
  expect(watch.isVoid(aToken('grace', 'one', new Date(0)))).toBe(false);
  // An older change that is told later takes nothing back.
  desk.changed('ada', new Date(ISSUED_AT.getTime() - 5_000));
  await waitFor('the older news', () => watch.heard.length === 3);
  expect(watch.isVoid(issued(-1))).toBe(true);
});

test('after a start nobody with a token gets in before the news were heard, and others do', async () => {
  const desk = new NewsDesk();
  desk.begin = [];
  await using watch = watching(desk);
  const guarded = refusingVoid(authenticate, watch);
  const early = guarded('Bearer x');
  expect(await guarded(undefined)).toBeNull();
  await waitFor('the follower', () => desk.listening === 1);
  desk.ended('one');
  desk.tell({ kind: 'current' });
  await expect(early).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
});

test('a source that is not there makes tokens SUBGRAPH_UNAVAILABLE after a start, and is asked again', async () => {
  const desk = new NewsDesk();
  desk.refusal = new Error('down');
  await using watch = watching(desk);
  const guarded = refusingVoid(authenticate, watch);
  await expect(guarded('Bearer x')).rejects.toMatchObject({ code: 'SUBGRAPH_UNAVAILABLE' });
  expect([watch.isCurrent, desk.followers > 1]).toEqual([false, true]);
  desk.refusal = undefined;
  await waitFor('the source', () => watch.isCurrent);
  expect(await guarded('Bearer x')).toMatchObject({ viewer: { userId: 'ada' } });
});

test('while its source is away what was heard holds and tokens are good; what was missed is heard on return', async () => {
  const desk = new NewsDesk();
  await using watch = watching(desk);
  await watch.untilKnown();
  desk.ended('one');
  await waitFor('the news', () => watch.isVoid(aToken('ada', 'one')));
  desk.refusal = new Error('down');
  desk.fail(new Error('gone'));
  await waitFor('the loss', () => !watch.isCurrent);
  await watch.untilKnown();
  expect([watch.isVoid(aToken('ada', 'one')), watch.isVoid(aToken('ada', 'two'))]).toEqual([true, false]);

  desk.begin = ['one', 'two'].map((sessionId) => ({ kind: 'ended', sessionId, at: ISSUED_AT.toISOString() }));
  desk.begin.push({ kind: 'current' });
  desk.refusal = undefined;
  await waitFor('the return', () => watch.isCurrent);
  expect(watch.isVoid(aToken('ada', 'two'))).toBe(true);
  expect(watch.lines).toEqual([
    'access changes are not heard; tokens are good until they end',
    'access changes are heard again',
  ]);
});

test('a source that says nothing any more, and one that ends, are left for a new one', async () => {
  const desk = new NewsDesk();
  await using watch = watching(desk, 50);
  await waitFor('the first silence', () => desk.followers === 2);
  await waitFor('the second', () => desk.followers === 3);
  expect(desk.listening).toBeLessThanOrEqual(1);
  expect(watch.heard.filter(({ kind }) => kind === 'current').length).toBeGreaterThanOrEqual(2);
});

test('a source that does not care for its signal is left all the same', async () => {
  let followers = 0;
  const deaf = () => {
    followers++;
    return { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) };
  };
  const watch = watchAccess({ accessChanges: deaf, logger: silentLogger, silenceMs: 20 });
  await waitFor('the next', () => followers > 1);
  await watch[Symbol.asyncDispose]();
});

test('disposal leaves the source', async () => {
  const desk = new NewsDesk();
  const watch = watching(desk);
  await watch.untilKnown();
  await watch[Symbol.asyncDispose]();
  await waitFor('its end', () => desk.listening === 0);
  expect(watch.lines).toEqual([]);
});
