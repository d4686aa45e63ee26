import { Cancellation } from '../../../platform/cancellation';
import { waitFor } from '../../../platform/testing/wait';
import {
  subgraphOperation,
  SubgraphError,
  type SubgraphAnswer,
  type SubgraphCall,
  type Transport,
} from '../../fetch/transport';
import { always, aRawSubgraph } from '../../testing/raw-subgraph';
import { aCall, aTransport } from '../../testing/transport';
import { createCallMerger } from './transports';

test('an asker that leaves is told at once, and the others are answered', async () => {
  let release = (): void => {};
  await using subgraph = await aRawSubgraph((request, response) => {
    release = () => always({ data: { _0: [{ a: 1, b: 2 }] } })(request, response);
  });
  await using transport = aTransport(subgraph.url);
  const left = new Cancellation();
  const execute = merged(transport);
  const [first, second] = [execute(anEntityCall('a', left)), execute(anEntityCall('b'))];
  await waitFor('the request', () => subgraph.requests.length === 1);
  left.abort(new Error('The client left.'));
  await expect(first).rejects.toThrow('The client left.');
  release();
  expect(await second).toEqual({ data: { _entities: [{ b: 2 }] } });
});

test('a request that nobody waits for any more is cancelled', async () => {
  let isClosed = false;
  await using subgraph = await aRawSubgraph((_, response) => response.on('close', () => (isClosed = true)));
  await using transport = aTransport(subgraph.url, { deadlineMs: { query: 60_000, mutation: 60_000 } });
  const signals = [new Cancellation(), new Cancellation(), new Cancellation()];
  const execute = merged(transport);
  const fields = ['a', 'b', 'b'];
  const asked = signals.map((signal, index) => execute(anEntityCall(fields[index]!, signal)));
  const outcomes = Promise.allSettled(asked);
  await waitFor('the request', () => subgraph.requests.length === 1);
  for (const signal of signals) {
    expect(isClosed).toBe(false);
    signal.abort(new Error('The client left.'));
  }
  await waitFor('the end of the request', () => isClosed);
  expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
});

test('an asker that leaves before its turn ends is not asked for', async () => {
  await using subgraph = await aRawSubgraph(always({ data: { _entities: [{ b: 2 }] } }));
  await using transport = aTransport(subgraph.url);
  const left = new Cancellation();
  const execute = merged(transport);
  const [first, second] = [execute(anEntityCall('a', left)), execute(anEntityCall('b'))];
  left.abort(new Error('The client left.'));
  await expect(first).rejects.toThrow('The client left.');
  await second;
  expect(subgraph.requests.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
    expect.objectContaining({ query: anEntityCall('b').operation.query }),
  ]);
});

test('a subgraph that cannot be reached fails all, and is not asked again', async () => {
  await using subgraph = await aRawSubgraph(always({}, 503));
  await using transport = aTransport(subgraph.url, { retries: 0 });
  const execute = merged(transport);
  const outcomes = await Promise.allSettled(['a', 'b', 'c'].map((field) => execute(anEntityCall(field))));
  expect(outcomes).toEqual(
    outcomes.map(() => ({ status: 'rejected', reason: expect.objectContaining({ code: 'SUBGRAPH_UNAVAILABLE' }) })),
  );
  expect(subgraph.requests).toHaveLength(1);
});

test('an answer that cannot be used is asked for again, call by call', async () => {
  await using subgraph = await aRawSubgraph((request, response, body) => {
    if (body.includes('bad')) response.writeHead(200).end('no JSON');
    else always({ data: { _entities: [{ a: 1 }] } })(request, response);
  });
  await using transport = aTransport(subgraph.url);
  const execute = merged(transport);
  const [good, bad] = await Promise.allSettled([execute(anEntityCall('a')), execute(anEntityCall('bad'))]);
  expect(good).toEqual({ status: 'fulfilled', value: { data: { _entities: [{ a: 1 }] } } });
  expect(bad).toEqual({ status: 'rejected', reason: expect.any(SubgraphError) });
  expect(subgraph.requests).toHaveLength(3);
});

test('a subgraph that takes no merged requests gets few of them', async () => {
  await using subgraph = await aRawSubgraph((request, response, body) => {
    if (body.includes('$r0')) always({ errors: [{ message: 'Too complex.' }] }, 400)(request, response);
    else always({ data: { _entities: [{ a: 1, b: 1 }] } })(request, response);
  });
  await using transport = aTransport(subgraph.url);
  const merger = createCallMerger({ cacheSize: 10 });
  for (let event = 0; event < 34; event++) {
    const execute = merged(transport, merger);
    await Promise.all(['a', 'b'].map((field) => execute(anEntityCall(field))));
  }
  const refused = subgraph.requests.filter(({ body }) => body.includes('$r0'));
  expect([refused.length, subgraph.requests.length]).toEqual([2, 2 + 2 * 34]);
});

test('a call that makes requests fail goes alone as long as it fails', async () => {
  await using subgraph = await aRawSubgraph((request, response, body) => {
    if (body.includes('bad')) always({ data: null, errors: [{ message: 'Failed as a whole.' }] })(request, response);
    else always({ data: { [body.includes('$r0') ? '_0' : '_entities']: [{ a: 1, b: 1 }] } })(request, response);
  });
  await using transport = aTransport(subgraph.url);
  const merger = createCallMerger({ cacheSize: 10 });
  for (let event = 0; event < 40; event++) {
    const execute = merged(transport, merger);
    await Promise.all(['a', 'b', 'bad'].map((field) => execute(anEntityCall(field))));
  }
  expect(subgraph.requests).toHaveLength(4 + 2 * 39);
});

test('of very many errors each asker gets a thousand', async () => {
  const errors = Array.from({ length: 1_500 }, () => ({ message: 'one of many' }));
  await using subgraph = await aRawSubgraph(always({ data: { _0: [{ a: 1, b: 1 }] }, errors }));
  await using transport = aTransport(subgraph.url);
  const execute = merged(transport);
  const answers = await Promise.all(['a', 'b'].map((field) => execute(anEntityCall(field))));
  expect(answers.map((answer) => answer.errors?.length)).toEqual([1_000, 1_000]);
});

test('an error without a path, or about all of a field, is told to everybody it concerns', async () => {
  const errors = [
    { message: 'of all', locations: [{ line: 1, column: 1 }] },
    { message: 'of a field', path: ['_0'] },
    { message: 'of nothing known', path: ['elsewhere', 1] },
  ];
  await using subgraph = await aRawSubgraph(always({ data: { _0: null, _1: [{ a: 3 }] }, errors }));
  await using transport = aTransport(subgraph.url);
  const execute = merged(transport);
  const answers = await Promise.all(['a:c', 'b', 'a'].map((field) => execute(anEntityCall(field))));
  const [ofAll, ofField, unknown] = [
    { message: 'of all' },
    { message: 'of a field', path: ['_entities'] },
    { message: 'of nothing known' },
  ];
  const concerned = { data: { _entities: null }, errors: [ofAll, ofField, unknown] };
  expect(answers).toEqual([concerned, concerned, { data: { _entities: [{ a: 3 }] }, errors: [ofAll, unknown] }]);
});

test('a list of other length than was asked for is asked for again by each alone', async () => {
  await using subgraph = await aRawSubgraph((request, response, body) =>
    always({ data: { [body.includes('$r0') ? '_0' : '_entities']: [{ a: 1 }] } })(request, response),
  );
  await using transport = aTransport(subgraph.url);
  const execute = merged(transport);
  const answers = await Promise.all(['1', '2'].map((id) => execute(anEntityCall('a', undefined, id))));
  expect(answers).toEqual(answers.map(() => ({ data: { _entities: [{ a: 1 }] } })));
  expect(subgraph.requests).toHaveLength(3);
});

test('a value nested too deep to be taken apart costs only those who asked for it', async () => {
  const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
  await using subgraph = await aRawSubgraph((_, response, body) => {
    const entity = `[{"a":1${body.includes('deep') ? `,"deep":${deep}` : ''}}]`;
    response.writeHead(200).end(`{"data":{"${body.includes('$r0') ? '_0' : '_entities'}":${entity}}}`);
  });
  await using transport = aTransport(subgraph.url);
  const execute = merged(transport);
  const [flat] = await Promise.all(['a', 'deep'].map((field) => execute(anEntityCall(field))));
  expect(flat).toEqual({ data: { _entities: [{ a: 1 }] } });
});

test('mutations, and calls with uploads, do not wait for others', async () => {
  const sent: SubgraphCall[] = [];
  await using transport = aTransport('http://127.0.0.1:1/graphql');
  const execute = merged({ ...transport, execute: (call) => (sent.push(call), Promise.resolve({ data: {} })) });
  const calls = [aCall({ kind: 'mutation' }), { ...anEntityCall('a'), hasUploads: true }];
  const answers = calls.map((call) => execute(call));
  expect(sent).toEqual(calls);
  await Promise.all(answers);
});

function merged(
  transport: Transport,
  merger = createCallMerger({ cacheSize: 10 }),
): (call: SubgraphCall) => Promise<SubgraphAnswer> {
  const made = merger(new Map([['raw', transport]])).get('raw')!;
  return (call) => made.execute(call);
}

function anEntityCall(field: string, signal = new Cancellation(), id = '1'): SubgraphCall {
  const query = `query($list:[_Any!]!){_entities(representations:$list){...on T{${field}}}}`;
  const variables = { list: [{ __typename: 'T', id }] };
  return aCall({
    operation: subgraphOperation(query, undefined, 'query'),
    variables: () => structuredClone(variables),
    variablesText: () => JSON.stringify(variables),
    signal,
  });
}
