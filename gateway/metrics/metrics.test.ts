import { waitFor } from '../../platform/testing/wait';
import { runningStreams } from '../testing/streams';
import { subscribeTo } from '../testing/subscriber';

/** The values of Sauti's own metrics. */
async function metricsOf(url: string): Promise<Map<string, number>> {
  const text = await (await fetch(new URL('/metrics', url))).text();
  const lines = text.split('\n').flatMap((line) => {
    const match = /^sauti_gateway_(\w+) (\S+)$/.exec(line);
    return match ? [[match[1]!, Number(match[2])] as const] : [];
  });
  return new Map(lines);
}

test('subscriptions are told with what they share', async () => {
  await using running = await runningStreams('in process');
  const gateway = await running.aGateway();
  const query = 'subscription { entries(topic: "a") { ... on Entry { n } } }';
  running.world.topic('a').append();
  for (let index = 0; index < 4; index++) await (await subscribeTo(gateway, query)).has(1);
  const back = await subscribeTo(gateway, query, { extensions: { cursor: 'a:1' } });
  running.world.topic('a').append();
  await back.has(1);
  await waitFor('all of them', () => gateway.gateway.subscriptions.delivered === 9);
  const metrics = await metricsOf(gateway.url);
  expect(Object.fromEntries(metrics)).toMatchObject({
    subscriptions_open: 5,
    subscription_upstreams_open: 1,
    subscription_sharing_ratio: 5,
    connections_open: 5,
    subscription_events_total: 2,
    subscription_deliveries_total: 9,
    subscription_resumes_total: 1,
    subscription_gaps_total: 0,
    subscriptions_waiting: 0,
    subscription_events_waiting: 0,
  });
});

test('there are none unless they are wanted', async () => {
  await using running = await runningStreams('in process');
  const gateway = await running.aGateway({ metrics: false });
  expect((await fetch(new URL('/metrics', gateway.url))).status).toBe(404);
});
