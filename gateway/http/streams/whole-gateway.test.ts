import net from 'node:net';
import { waitFor } from '../../../platform/testing/wait';
import { eventStreamPost, openStream } from '../../testing/event-stream';
import { aRunningShop } from '../../testing/gateways';

const QUIET = { query: 'subscription { quiet { n } }' };

test('open streams of every kind do not hold up a gateway that stops', async () => {
  await using running = await aRunningShop('in process', { limits: { stopGraceMs: 60_000 } });
  const events = await openStream(running.url, eventStreamPost(QUIET));
  const multipart = await openStream(
    running.url,
    eventStreamPost(QUIET, { accept: 'multipart/mixed;subscriptionSpec=1.0' }),
  );
  const token = await (await fetch(running.url, { method: 'PUT' })).text();
  const headers = { 'x-graphql-event-stream-token': token, accept: 'text/event-stream' };
  const shared = await openStream(running.url, { headers });
  await openStream(
    running.url,
    eventStreamPost({ ...QUIET, extensions: { operationId: 'a' } }, { ...headers, accept: '*/*' }),
  );
  await fetch(running.url, { method: 'PUT' });
  await waitFor('the subscriptions', () => running.gateway.subscriptions.subscriptions === 3);
  // Without the end of the streams this would take the minute of grace, which is longer than a test may take.
  await running.gateway.stop();
  expect(await Promise.all([events.ended, multipart.ended, shared.ended])).toEqual([true, true, true]);
  expect([events.stream.comments.at(-1), shared.stream.comments.at(-1)]).toEqual(['GOING_AWAY', 'GOING_AWAY']);
  expect(events.stream.events).toEqual([]);
  expect(multipart.text).toMatch(/"payload":null,"errors":\[.*GOING_AWAY.*\r\n--graphql--\r\n$/s);
  expect(running.gateway.subscriptions.subscriptions).toBe(0);
  await waitFor('the end of their stream', () => running.shop.feeds.quiet.open === 0);
});

test('a query on a stream gets its answer while the gateway stops', async () => {
  await using running = await aRunningShop('in process', { limits: { stopGraceMs: 60_000 } });
  const opened = await openStream(running.url, eventStreamPost({ query: '{ slow(ms: 300) }' }));
  await waitFor('the call', () => running.shop.calls.length === 1);
  await running.gateway.stop();
  await opened.ended;
  expect(opened.results).toEqual([{ data: { slow: 'slow' } }]);
});

test('one that is not answered within the grace is cut off', async () => {
  await using running = await aRunningShop('in process', { limits: { stopGraceMs: 100 } });
  const opened = await openStream(running.url, eventStreamPost({ query: '{ slow(ms: 50000) }' }));
  await waitFor('the call', () => running.shop.calls.length === 1);
  await running.gateway.stop();
  expect([await opened.ended, opened.results]).toEqual([false, []]);
  expect(running.shop.aborted).toEqual(['slow']);
});

test('a client that reads nothing for too long loses its subscription; one beside it goes on', async () => {
  await using running = await aRunningShop('in process', { subscriptions: { stallMs: 300 } });
  const body = JSON.stringify({ query: 'subscription { bulk(times: 3000, sizeBytes: 20000) { n text } }' });
  const socket = net.connect({ port: Number(new URL(running.url).port), host: '127.0.0.1' });
  socket.on('error', () => {});
  socket.pause();
  socket.write(
    `POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\naccept: text/event-stream\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  const beside = await openStream(running.url, eventStreamPost(QUIET));
  await waitFor('both', () => running.gateway.subscriptions.subscriptions === 2);
  await waitFor('the end of one', () => running.gateway.subscriptions.subscriptions === 1);
  // What was on its way when it was dropped it may still read, and after it why.
  let text = '';
  socket.on('data', (chunk: Buffer) => (text = (text + chunk.toString('latin1')).slice(-1_000)));
  socket.resume();
  await waitFor('the reason', () => text.includes('"code":"CONSUMER_TOO_SLOW","cursor":"'));
  running.shop.feeds.quiet.push({ quiet: { n: 1 } });
  await beside.receive('next');
  beside.close();
  socket.destroy();
});
