import { waitFor } from '../platform/testing/wait';
import { aRunningShop, MODES, post, type RunningShop } from './testing/gateways';
import { aRawSocket, resultsOf } from './testing/socket-client';

/** The supergraph with one field more, whose name tells the versions apart. */
function version(running: RunningShop, number: number): string {
  return running.supergraphSdl.replace(/^type Query[^{]*\{/m, (start) => `${start}\n  v${number}: String @deprecated`);
}

const VERSIONS = '{ __type(name: "Query") { fields(includeDeprecated: true) { name } } }';

/** Which version answers. */
async function served(running: RunningShop): Promise<string> {
  const { data } = await post(running.url, VERSIONS);
  const fields = (data as { __type: { fields: { name: string }[] } }).__type.fields;
  return fields.map(({ name }) => name).find((name) => /^v\d+$/.test(name)) ?? 'the first';
}

describe.each(MODES)('a gateway that changes its supergraph, subgraphs %s', (mode) => {
  test('answers by the new one, and keeps the old one when the new one is broken', async () => {
    await using running = await aRunningShop(mode);
    expect(await served(running)).toBe('the first');
    await running.gateway.update(version(running, 1));
    expect(await served(running)).toBe('v1');
    await expect(running.gateway.update('type Query { a: Int }')).rejects.toThrow();
    expect(await served(running)).toBe('v1');
    expect((await post(running.url, '{ me { name reviews { id } } }')).data).toEqual({
      me: { name: 'Ada', reviews: [{ id: 'r4' }] },
    });
  });

  test('no request fails or sees two supergraphs while it changes', async () => {
    await using running = await aRunningShop(mode);
    let isOver = false;
    let number = 0;
    const client = async (): Promise<number> => {
      let answers = 0;
      while (!isOver || answers < 5) {
        // Every other one is new: it is still being planned when the supergraph changes.
        const name = answers % 2 === 0 ? 'Known' : `New${number++}`;
        const answer = await post(running.url, `query ${name} { me { name favourites { title } } users { karma } }`);
        expect(answer.errors).toBeUndefined();
        answers++;
      }
      return answers;
    };
    const clients = [client(), client(), client(), client()];
    for (let change = 1; change <= 5; change++) await running.gateway.update(version(running, change));
    isOver = true;
    for (const answers of await Promise.all(clients)) expect(answers).toBeGreaterThanOrEqual(5);
    expect(await served(running)).toBe('v5');
  });

  test('a subscription goes on over the change', async () => {
    await using running = await aRunningShop(mode);
    const socket = await aRawSocket(running.webSocketUrl, { init: {} });
    socket.send({ id: 's', type: 'subscribe', payload: { query: 'subscription { renamed { name karma } }' } });
    await waitFor('the stream', () => running.shop.feeds.rename.open === 1);
    await running.gateway.update(version(running, 1));
    await post(running.url, 'mutation { renameUser(id: "u3", name: "Barbara") { id } }');
    await socket.receive('next', 's');
    expect(resultsOf(socket, 's')).toMatchObject([
      { data: { renamed: { name: 'Barbara', karma: expect.any(Number) } } },
    ]);
    socket.socket.close();
  });
});
