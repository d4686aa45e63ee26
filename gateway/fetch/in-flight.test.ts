import type { ServerResponse } from 'node:http';
import type { Viewer } from '../../platform/identity/viewer';
import { waitFor } from '../../platform/testing/wait';
import { aRawSubgraph } from '../testing/raw-subgraph';
import { aCall, aTransport } from '../testing/transport';
import type { SubgraphSettings } from './subgraph-settings';
import type { SubgraphCall } from './transport';

/** A subgraph whose answers a test gives, and a transport that shares calls to it. */
async function aHeldSubgraph(settings: Partial<SubgraphSettings> = { shareInFlight: true }) {
  const held: ServerResponse[] = [];
  const raw = await aRawSubgraph((_request, response) => void held.push(response));
  const transport = aTransport(raw.url, settings);
  return {
    transport,
    held,
    requests: raw.requests,
    /** Answers with the number of the request. */
    async answer(count: number) {
      await waitFor(`${count} requests`, () => held.length === count);
      for (const [index, response] of held.splice(0).entries())
        response.end(JSON.stringify({ data: { n: { index } } }));
    },
    async [Symbol.asyncDispose]() {
      await transport.dispose();
      await raw[Symbol.asyncDispose]();
    },
  };
}

const viewer = (userId: string, scopes: string[] = []): { identity: SubgraphCall['identity'] } => {
  const who: Viewer = { userId, sessionId: 's', scopes };
  return { identity: { viewer: who, requestId: `by ${userId}` } };
};

test('equal queries under way together are one call, and each caller has a copy of its own', async () => {
  await using subgraph = await aHeldSubgraph();
  const calls = [1, 2, 3].map(() => subgraph.transport.execute(aCall()));
  await subgraph.answer(1);
  const answers = await Promise.all(calls);
  expect(answers).toEqual([1, 2, 3].map(() => ({ data: { n: { index: 0 } } })));
  (answers[0]!.data as { n: { index: number } }).n.index = 99;
  expect(answers[1]).toEqual({ data: { n: { index: 0 } } });
  expect(subgraph.requests).toHaveLength(1);
});

test('a query after the answer is a call of its own', async () => {
  await using subgraph = await aHeldSubgraph();
  for (let call = 0; call < 2; call++) {
    const answer = subgraph.transport.execute(aCall());
    await subgraph.answer(1);
    await answer;
  }
  expect(subgraph.requests).toHaveLength(2);
});

test.each<[string, Partial<SubgraphCall>, Partial<SubgraphCall>]>([
  ['viewers', viewer('ada'), viewer('eve')],
  ['a viewer and nobody', viewer('ada'), {}],
  ['scopes', viewer('ada', ['read']), viewer('ada', ['read', 'write'])],
  ['sessions', viewer('ada'), { identity: { viewer: { userId: 'ada', sessionId: 't', scopes: [] }, requestId: 'x' } }],
  ['tokens', { authorization: 'Bearer a' }, { authorization: 'Bearer b' }],
  ['forwarded headers', { headers: { 'x-tenant': 'a' } }, { headers: { 'x-tenant': 'b' } }],
  ['variables', { variablesText: () => '{"id":1}' }, { variablesText: () => '{"id":2}' }],
])('different %s are never one call', async (_, one, other) => {
  await using subgraph = await aHeldSubgraph({ shareInFlight: true, headers: { forward: ['x-tenant'], set: {} } });
  const calls = [aCall(one), aCall(other)].map((call) => subgraph.transport.execute(call));
  await subgraph.answer(2);
  const answers = (await Promise.all(calls)).map(({ data }) => (data as { n: { index: number } }).n.index);
  expect(answers.sort()).toEqual([0, 1]);
});

test('headers that are not forwarded do not keep calls apart', async () => {
  await using subgraph = await aHeldSubgraph();
  const calls = ['a', 'b'].map((agent) => subgraph.transport.execute(aCall({ headers: { 'user-agent': agent } })));
  await subgraph.answer(1);
  await Promise.all(calls);
});

test('mutations are never one call, and queries only where the settings say so', async () => {
  await using sharing = await aHeldSubgraph();
  const mutations = [1, 2].map(() => sharing.transport.execute(aCall({ kind: 'mutation' })));
  await sharing.answer(2);
  await Promise.all(mutations);
  await using plain = await aHeldSubgraph({});
  const queries = [1, 2].map(() => plain.transport.execute(aCall()));
  await plain.answer(2);
  await Promise.all(queries);
});

test('a caller that leaves takes the call from nobody; the last one ends it, and the next starts anew', async () => {
  await using subgraph = await aHeldSubgraph();
  const callers = [new AbortController(), new AbortController(), new AbortController()];
  const [first, second, third] = callers.map(({ signal }) => subgraph.transport.execute(aCall({ signal })));
  await waitFor('the call', () => subgraph.held.length === 1);
  const { socket } = subgraph.held[0]!;
  callers[0]!.abort(new Error('left'));
  await expect(first).rejects.toThrow('left');
  expect(socket?.destroyed).toBe(false);

  callers[1]!.abort(new Error('left'));
  callers[2]!.abort(new Error('left'));
  const next = subgraph.transport.execute(aCall());
  await expect(second).rejects.toThrow('left');
  await expect(third).rejects.toThrow('left');
  await waitFor('the connection to close', () => socket?.destroyed);
  subgraph.held.shift();
  await subgraph.answer(1);
  expect(await next).toEqual({ data: { n: { index: 0 } } });
});

test('the callers left behind get the answer', async () => {
  await using subgraph = await aHeldSubgraph();
  const leaving = new AbortController();
  const first = subgraph.transport.execute(aCall({ signal: leaving.signal }));
  const second = subgraph.transport.execute(aCall());
  await waitFor('the call', () => subgraph.held.length === 1);
  leaving.abort(new Error('left'));
  await expect(first).rejects.toThrow('left');
  await subgraph.answer(1);
  expect(await second).toEqual({ data: { n: { index: 0 } } });
});

test('all callers learn of a failure', async () => {
  await using subgraph = await aHeldSubgraph();
  const calls = [1, 2].map(() => subgraph.transport.execute(aCall()).catch((error: unknown) => error));
  await waitFor('the call', () => subgraph.held.length === 1);
  subgraph.held[0]!.end('<html>');
  for (const failure of await Promise.all(calls)) expect(failure).toMatchObject({ code: 'SUBGRAPH_BAD_RESPONSE' });
});

test('a call that is held off at once is told to its caller, and not kept', async () => {
  await using subgraph = await aHeldSubgraph({
    shareInFlight: true,
    breaker: { windowMs: 60_000, minRequests: 1, failureRatio: 0.1, openMs: 60_000 },
  });
  const failure = subgraph.transport.execute(aCall()).catch((error: unknown) => error);
  await waitFor('the call', () => subgraph.held.length === 1);
  subgraph.held[0]!.writeHead(500).end();
  await failure;
  for (let call = 0; call < 2; call++)
    await expect(subgraph.transport.execute(aCall())).rejects.toMatchObject({ code: 'SUBGRAPH_UNAVAILABLE' });
  expect(subgraph.requests).toHaveLength(1);
});
