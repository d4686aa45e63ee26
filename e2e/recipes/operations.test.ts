import { aRunningShop, type RunningShop } from '../../gateway/testing/gateways';
import { waitFor } from '../../platform/testing/wait';
import { RECIPES } from './clients';

let running: RunningShop;
beforeAll(async () => void (running = await aRunningShop('in process')));
afterAll(() => running[Symbol.asyncDispose]());

describe.each(Object.entries(RECIPES))('%s', (_name, recipe) => {
  const client = () =>
    recipe(
      running.url,
      () => undefined,
      () => {},
    );

  test('sends a mutation', async () => {
    const rename = 'mutation Rename($name: String!) { renameUser(id: "u1", name: $name) { name } }';
    expect(await client().request(rename, { name: 'Zuri' })).toMatchObject({ renameUser: { name: 'Zuri' } });
  });

  test('shows each event once and is through when the subscription is complete', async () => {
    const told: unknown[] = [];
    let isComplete = false;
    client().subscribe(
      'subscription Count($to: Int!) { count(to: $to) { n } }',
      { to: 3 },
      {
        next: ({ data }) => told.push(data),
        error: (code) => told.push(code),
        complete: () => (isComplete = true),
      },
    );
    await waitFor('the end', () => isComplete);
    expect(told).toMatchObject([{ count: { n: 1 } }, { count: { n: 2 } }, { count: { n: 3 } }]);
    expect(running.gateway.subscriptions.subscriptions).toBe(0);
  });
});
