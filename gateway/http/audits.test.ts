import { serverAudits } from 'graphql-http';
import { aRunningShop, type RunningShop } from '../testing/gateways';

let running: RunningShop;
let production: RunningShop;
beforeAll(async () => {
  running = await aRunningShop('in process');
  production = await aRunningShop('in process', { development: false });
});
afterAll(async () => {
  await running[Symbol.asyncDispose]();
  await production[Symbol.asyncDispose]();
});

/** CSRF prevention is on: a GET has to say that it is no simple request. POST is sent as the audit has it. */
const fetchFn = (url: string, { headers, ...init }: RequestInit = {}): Promise<Response> =>
  fetch(url, {
    ...init,
    headers: {
      ...Object.fromEntries(new Headers(headers)),
      ...(isGet(init) ? { 'apollo-require-preflight': 'true' } : {}),
    },
  });

function isGet({ method = 'GET' }: RequestInit): boolean {
  return method === 'GET';
}

/** These ask for `__type`, which is introspection; in production it is off. */
const ASK_FOR_A_TYPE = new Set(['BF61', '2EA1', '28B9', 'D6D5', '6A70']);

const passed = (id: string): unknown => expect.objectContaining({ id, status: 'ok' });

test('the audits are all of them', () => {
  expect(serverAudits({ url: '' })).toHaveLength(61);
});

describe('GraphQL over HTTP', () => {
  test.each(serverAudits({ url: () => running.url, fetchFn }))('$id $name', async ({ id, fn }) => {
    expect(await fn()).toEqual(passed(id));
  });
});

describe('GraphQL over HTTP in production', () => {
  const audits = serverAudits({ url: () => production.url, fetchFn });
  test.each(audits.filter(({ id }) => !ASK_FOR_A_TYPE.has(id)))('$id $name', async ({ id, fn }) => {
    expect(await fn()).toEqual(passed(id));
  });

  test.each(audits.filter(({ id }) => ASK_FOR_A_TYPE.has(id)))(
    'introspection is off: $id $name',
    async ({ id, fn }) => {
      expect(await fn()).not.toEqual(passed(id));
    },
  );
});

test.each([
  ['POST', { method: 'POST', body: '{"query":"{ __typename }"}' }],
  ['GET', {}],
])('CSRF prevention is on: a simple %s is refused', async (_, init) => {
  const response = await fetch(`${running.url}?query={__typename}`, init);
  expect(response.status).toBe(400);
  expect(await response.text()).toContain('CSRF');
});
