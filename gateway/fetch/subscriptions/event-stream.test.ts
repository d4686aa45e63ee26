import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { buildSchema } from 'graphql';
import { createHandler } from 'graphql-sse/lib/use/http';
import { waitFor } from '../../../platform/testing/wait';
import { always, aRawSubgraph } from '../../testing/raw-subgraph';
import { aCall, aTransport } from '../../testing/transport';
import type { HttpTransportOptions } from '../http-options';
import type { SubgraphSettings } from '../subgraph-settings';
import { subgraphOperation, type SubgraphAnswer, type SubgraphCall } from '../transport';
import { DEFAULT_UPSTREAM_SETTINGS, type UpstreamSettings } from '../upstream-settings';

function overEvents(
  url: string,
  upstream: Partial<UpstreamSettings> = {},
  settings: Partial<SubgraphSettings> = {},
  options: Partial<HttpTransportOptions> = {},
) {
  return aTransport(
    url,
    { subscriptions: { ...DEFAULT_UPSTREAM_SETTINGS, protocol: 'sse', ...upstream }, ...settings },
    options,
  );
}

function subscription(text = 'subscription { n }', options: Partial<SubgraphCall> = {}): SubgraphCall {
  return aCall({ operation: subgraphOperation(text, undefined, 'subscription'), ...options });
}

/** All events, and what they ended with: an error, or the word. */
async function story(events: AsyncGenerator<SubgraphAnswer>): Promise<unknown[]> {
  const told: unknown[] = [];
  try {
    for await (const event of events) told.push(event);
    return [...told, 'complete'];
  } catch (error) {
    return [...told, error];
  }
}

/** A subgraph whose event streams say this; `end` ends them after it. */
async function aStreamingSubgraph(text: string | Buffer, { end = false, headers = {} } = {}) {
  const responses: ServerResponse[] = [];
  const subgraph = await aRawSubgraph((_request, response) => {
    responses.push(response);
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', ...headers });
    response.flushHeaders();
    if (text.length > 0) response.write(text);
    if (end) response.end();
  });
  return { ...subgraph, responses };
}

const next = (n: number): string => `event: next\ndata: {"data":{"n":${n}}}\n\n`;

describe('a subgraph served by graphql-sse', () => {
  const schema = buildSchema('type Query { n: Int } type Subscription { n(to: Int!): Int quiet: Int }');
  const fields = schema.getSubscriptionType()!.getFields();
  fields['n']!.subscribe = async function* (_: unknown, { to }: { to: number }) {
    for (let count = 1; count <= to; count++) yield { n: count };
  };
  let listening = 0;
  let left = 0;
  fields['quiet']!.subscribe = async function* () {
    listening++;
    await new Promise(() => {});
    yield {};
  };
  const handler = createHandler({ schema });
  const server = createServer((request, response) => {
    response.once('close', () => response.writableFinished || left++);
    void handler(request, response);
  });
  let url = '';
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  test('sends its events in order, more than may wait, also to a reader that starts late', async () => {
    await using transport = overEvents(url);
    const text = 'subscription ($to: Int!) { n(to: $to) }';
    const call = subscription(text, { variablesText: () => '{"to":2000}', variables: () => ({ to: 2000 }) });
    const numbers = Array.from({ length: 2_000 }, (_, index) => ({ data: { n: index + 1 } }));
    expect(await story(transport.subscribe(call))).toEqual([...numbers, 'complete']);
  });

  test('refuses an operation with its errors as the only event', async () => {
    await using transport = overEvents(url);
    expect(await story(transport.subscribe(subscription('subscription { nothing }')))).toEqual([
      { data: undefined, errors: [expect.objectContaining({ message: expect.stringContaining('nothing') })] },
      'complete',
    ]);
  });

  test.each(['return()', 'the signal'])('sees the connection end when the reader leaves by %s', async (how) => {
    await using transport = overEvents(url);
    const before = { listening, left };
    const controller = new AbortController();
    const events = transport.subscribe(subscription('subscription { quiet }', { signal: controller.signal }));
    const waiting = story(events);
    await waitFor('the subscription', () => listening > before.listening);
    if (how === 'return()') await events.return();
    else controller.abort(new Error('left'));
    expect(await waiting).toEqual(['complete']);
    await waitFor('the end of the connection', () => left > before.left);
  });
});

test('the request is a POST with the signature, the forwarded headers and the operation', async () => {
  await using subgraph = await aStreamingSubgraph('event: complete\n\n');
  await using transport = overEvents(
    subgraph.url,
    {},
    { headers: { forward: ['x-tenant'], set: { 'x-gateway': 'sauti' } } },
    { signCall: (name, { requestId }, body) => `${name} ${requestId} ${body.length}` },
  );
  await story(transport.subscribe(subscription('subscription { n }', { headers: { 'x-tenant': 't', cookie: 'c' } })));
  const [{ headers, body }] = subgraph.requests as [(typeof subgraph.requests)[0]];
  expect(JSON.parse(body)).toEqual({ query: 'subscription { n }', variables: {} });
  expect(headers).toMatchObject({
    accept: 'text/event-stream',
    'content-type': 'application/json',
    authorization: `Bearer raw test ${body.length}`,
    'x-request-id': 'test',
    'x-tenant': 't',
    'x-gateway': 'sauti',
  });
  expect(headers).not.toHaveProperty('cookie');
});

describe('a subgraph that fails', () => {
  const error = (code: string, message: string): object =>
    expect.objectContaining({ name: 'SubgraphError', code, message: expect.stringContaining(message) }) as object;

  test.each<[string, string, object]>([
    ['by ending the stream without complete', next(1), error('SUBGRAPH_UNAVAILABLE', 'without "complete"')],
    ['by an event with another name', `${next(1)}event: nxt\ndata: {}\n\n`, error('SUBGRAPH_BAD_RESPONSE', '"nxt"')],
    ['by an event without a name', `${next(1)}data: {"data":{}}\n\n`, error('SUBGRAPH_BAD_RESPONSE', '""')],
    ['by data that is not JSON', `${next(1)}event: next\ndata: {\n\n`, error('SUBGRAPH_BAD_RESPONSE', 'not JSON')],
    ['by data that is no result', `${next(1)}event: next\ndata: 5\n\n`, error('SUBGRAPH_BAD_RESPONSE', 'no GraphQL')],
    ['by an endless event', `${next(1)}data: ${'x'.repeat(3_000)}`, error('SUBGRAPH_BAD_RESPONSE', 'more than 2000')],
  ])('%s ends the stream with an error after what it sent before', async (_title, text, failure) => {
    await using subgraph = await aStreamingSubgraph(text, { end: true });
    await using transport = overEvents(subgraph.url, {}, { maxAnswerBytes: 2_000 });
    expect(await story(transport.subscribe(subscription()))).toEqual([{ data: { n: 1 } }, failure]);
  });

  test('by bytes that are no UTF-8 ends the stream with an error', async () => {
    await using subgraph = await aStreamingSubgraph(Buffer.from('data: \xff', 'latin1'));
    await using transport = overEvents(subgraph.url);
    expect(await story(transport.subscribe(subscription()))).toEqual([error('SUBGRAPH_BAD_RESPONSE', 'UTF-8')]);
  });

  test('by cutting the connection ends the stream with an error', async () => {
    await using subgraph = await aStreamingSubgraph(next(1));
    await using transport = overEvents(subgraph.url);
    const told = story(transport.subscribe(subscription()));
    await waitFor('the stream', () => subgraph.responses.length === 1);
    subgraph.responses[0]!.write(next(2), () => subgraph.responses[0]!.destroy());
    expect((await told).at(-1)).toEqual(error('SUBGRAPH_UNAVAILABLE', 'the event stream broke'));
  });

  test('by not answering at all, or not listening, is told in time', async () => {
    await using subgraph = await aRawSubgraph(() => {});
    await using transport = overEvents(subgraph.url, { ackMs: 100 });
    expect(await story(transport.subscribe(subscription()))).toEqual([error('SUBGRAPH_TIMEOUT', 'within 100 ms')]);
    await using nowhere = overEvents('http://127.0.0.1:1/graphql');
    expect(await story(nowhere.subscribe(subscription()))).toEqual([error('SUBGRAPH_UNAVAILABLE', 'ECONNREFUSED')]);
  });

  test('by answering in JSON has its answer passed on, unless it is none', async () => {
    const told = async (answer: Parameters<typeof aRawSubgraph>[0], signed = false) => {
      await using subgraph = await aRawSubgraph(answer);
      const sign = signed ? { signCall: () => 'signature' } : {};
      await using transport = overEvents(subgraph.url, {}, { maxAnswerBytes: 2_000 }, sign);
      return await story(transport.subscribe(subscription()));
    };
    const refusal = { errors: [{ message: 'No.' }] };
    const passed = [{ data: undefined, ...refusal }, 'complete'];
    expect(await told(always(refusal, 400))).toEqual(passed);
    expect(await told(always(refusal, 401))).toEqual(passed);
    expect(
      await told((_request, response) =>
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(JSON.stringify(refusal))),
      ),
    ).toEqual(passed);
    expect(await told(always(refusal, 401), true)).toEqual([error('SUBGRAPH_UNAVAILABLE', 'status 401')]);
    expect(await told(always(refusal, 500))).toEqual([error('SUBGRAPH_UNAVAILABLE', 'status 500')]);
    expect(await told((_request, response) => response.end('<html>'))).toEqual([
      error('SUBGRAPH_BAD_RESPONSE', 'not JSON'),
    ]);
    expect(await told((_request, response) => response.end(' '.repeat(3_000)))).toEqual([
      error('SUBGRAPH_BAD_RESPONSE', 'more than 2000 bytes'),
    ]);
  });

  test('by an encoded stream is refused: nobody asked for one', async () => {
    await using subgraph = await aStreamingSubgraph(next(1), { headers: { 'content-encoding': 'gzip' } });
    await using transport = overEvents(subgraph.url);
    expect(await story(transport.subscribe(subscription()))).toEqual([error('SUBGRAPH_BAD_RESPONSE', 'gzip')]);
  });

  test('by falling silent after it had sent keep-alive comments is gone', async () => {
    await using subgraph = await aStreamingSubgraph(`:\n\n${next(1)}`);
    await using transport = overEvents(subgraph.url, { keepAliveMs: 100 });
    const events = transport.subscribe(subscription());
    expect(await events.next()).toMatchObject({ value: { data: { n: 1 } } });
    const last = events.next().catch((failure: unknown) => failure);
    // One comment may only have been there to get the head out: the second one makes a rhythm.
    subgraph.responses[0]!.write(':\n\n');
    expect(await last).toEqual(error('SUBGRAPH_UNAVAILABLE', 'was silent for'));
  });

  test('when the transport is disposed ends what is open', async () => {
    await using subgraph = await aStreamingSubgraph(next(1));
    await using transport = overEvents(subgraph.url);
    const told = story(transport.subscribe(subscription()));
    await waitFor('the stream', () => subgraph.responses.length === 1);
    await transport.dispose();
    expect((await told).at(-1)).toEqual(error('SUBGRAPH_UNAVAILABLE', 'the event stream broke'));
  });
});

test('a consumer that takes nothing holds the subgraph back, and misses nothing', async () => {
  let sent = 0;
  const total = 3_000;
  await using subgraph = await aRawSubgraph((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const pump = (): void => {
      while (sent < total) {
        if (!response.write(`event: next\ndata: {"data":{"n":${sent++},"text":"${'x'.repeat(20_000)}"}}\n\n`)) {
          response.once('drain', pump);
          return;
        }
      }
      response.end('event: complete\ndata:\n\n');
    };
    pump();
  });
  await using transport = overEvents(subgraph.url);
  const events = transport.subscribe(subscription());
  await events.next();
  let before = -1;
  await waitFor('the subgraph to stand still', () => {
    const isStill = sent === before;
    before = sent;
    return isStill;
  });
  expect(sent).toBeLessThan(total * 0.9);
  const rest = await story(events);
  expect(rest.at(-1)).toBe('complete');
  expect(rest.slice(0, -1).map((answer) => (answer as { data: { n: number } }).data.n)).toEqual(
    Array.from({ length: total - 1 }, (_, index) => index + 1),
  );
});
