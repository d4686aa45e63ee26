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
  await waitFor('the streams', () => running.shop.feeds.quiet.open === 3);
  // Without the end of the streams this would take the minute of grace, which is longer than a test may take.
  await running.gateway.stop();
  expect(await Promise.all([events.ended, multipart.ended, shared.ended])).toEqual([true, true, true]);
  expect([events.stream.comments.at(-1), shared.stream.comments.at(-1)]).toEqual(['GOING_AWAY', 'GOING_AWAY']);
  expect(events.stream.events).toEqual([]);
  expect(multipart.text).toMatch(/"payload":null,"errors":\[.*GOING_AWAY.*\r\n--graphql--\r\n$/s);
  expect(running.shop.feeds.quiet.open).toBe(0);
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
