import { aRunningShop, post, type RunningShop } from '../testing/gateways';
import { aRawSocket, resultsOf } from '../testing/socket-client';

let running: RunningShop;
beforeAll(async () => {
  running = await aRunningShop('in process', { limits: { maxResponseLength: 60 } });
});
afterAll(() => running[Symbol.asyncDispose]());

const TOO_LARGE = { message: expect.stringContaining('60'), extensions: { code: 'RESPONSE_TOO_LARGE' } };

test('an answer that grows too long is refused, also the second time', async () => {
  for (let time = 0; time < 2; time++) {
    expect(await post(running.url, '{ users { name email karma } }')).toEqual({
      status: 200,
      data: null,
      errors: [TOO_LARGE],
    });
  }
  expect(await post(running.url, '{ me { name } }')).toEqual({ status: 200, data: { me: { name: 'Ada' } } });
});

test('a part that grows too long is refused, and the parts before it stay', async () => {
  const socket = await aRawSocket(running.webSocketUrl, { init: {} });
  const query = '{ me { name } ... @defer { users { name email karma } } }';
  socket.send({ id: 'd', type: 'subscribe', payload: { query } });
  await socket.receive('complete', 'd');
  expect(resultsOf(socket, 'd')).toEqual([
    { data: { me: { name: 'Ada' } }, hasNext: true },
    { incremental: [{ data: null, path: [], errors: [TOO_LARGE] }], hasNext: false },
  ]);
  socket.socket.close();
});

test('an event that grows too long is refused, and the subscription goes on', async () => {
  const socket = await aRawSocket(running.webSocketUrl, { init: {} });
  const query = 'subscription { count(to: 2) { n text user { id name email reviews { id text } } } }';
  socket.send({ id: 's', type: 'subscribe', payload: { query } });
  await socket.receive('complete', 's');
  expect(resultsOf(socket, 's')).toMatchObject([
    { data: null, errors: [TOO_LARGE] },
    { data: null, errors: [TOO_LARGE] },
  ]);
  socket.socket.close();
});
