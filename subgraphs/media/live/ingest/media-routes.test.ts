import { deriveCallKey } from '../../../../platform/identity/call-identity';
import { newId } from '../../../../platform/ids';
import { silentLogger } from '../../../../platform/logger';
import { serveSubgraph } from '../../../../platform/subgraph/serve';
import { aScript, openMediaSlice, scripted } from '../../testing';
import { IngestTokens } from './ingest-token';
import { inviteWriter } from './invitation';
import { aLiveSession } from '../testing-sessions';
import { aSocket, pcm, sessionRow } from './testing';

test('the media subgraph takes audio where its sessions say, and closes its sockets when it stops', async () => {
  await using slice = await openMediaSlice(scripted(aScript()));
  const { platform, subgraph } = slice;
  const callKey = deriveCallKey(platform.secret, 'media');
  const server = await serveSubgraph({ subgraph, callKey, host: '127.0.0.1', port: 0, logger: silentLogger });
  const id = await aLiveSession(platform);
  const tokens = new IngestTokens(platform.secret);
  const invitation = inviteWriter(await sessionRow(platform, id), tokens, `http://127.0.0.1:${server.port}`)!;
  expect(invitation).toMatchObject({
    webSocketUrl: `ws://127.0.0.1:${server.port}/live/${id}`,
    httpUrl: `http://127.0.0.1:${server.port}/live/${id}`,
    ...{ encodings: ['pcm_s16le'], sampleRate: 16_000, maxChunkMs: 1_000, maxChunkBytes: 32_000 },
  });
  const sent = await fetch(`${invitation.httpUrl}?end=false`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${invitation.token}` },
    body: new Uint8Array(pcm(100)),
  });
  expect([sent.status, await sent.json()]).toEqual([200, expect.objectContaining({ storedBytes: 3_200 })]);
  expect(sent.headers.get('access-control-allow-origin')).toBe('*');
  const socket = await aSocket(server.port, id, { headers: { authorization: `Bearer ${tokens.make(id).token}` } });
  const { acknowledgedSequence } = await socket.receive('ready');
  socket.send(acknowledgedSequence + 1, pcm(100));
  await socket.acknowledged(acknowledgedSequence + 1);
  await server[Symbol.asyncDispose]();
  expect(await socket.closed).toBe(1001);
});

test('a page of any origin that has a token may send audio, and read why it is refused', async () => {
  await using slice = await openMediaSlice(scripted(aScript()));
  const { platform, subgraph } = slice;
  const callKey = deriveCallKey(platform.secret, 'media');
  await using server = await serveSubgraph({ subgraph, callKey, host: '127.0.0.1', port: 0, logger: silentLogger });
  const url = `http://127.0.0.1:${server.port}/live/${await aLiveSession(platform)}`;
  const asked = { 'access-control-request-method': 'PUT', 'access-control-request-headers': 'authorization' };
  const preflight = await fetch(url, { method: 'OPTIONS', headers: { origin: 'https://app.example', ...asked } });
  expect([preflight.status, Object.fromEntries(preflight.headers)]).toEqual([
    204,
    expect.objectContaining({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'PUT, POST',
      'access-control-allow-headers': expect.stringContaining('authorization') as string,
    }),
  ]);
  const refused = await fetch(url, { method: 'PUT', headers: { origin: 'https://app.example' }, body: 'x' });
  expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([401, '*']);
  await refused.arrayBuffer();
});

test('a session that takes no more audio invites nobody; a container is described as one', async () => {
  await using slice = await openMediaSlice(scripted(aScript()));
  const tokens = new IngestTokens(slice.platform.secret);
  const invite = async (session: Parameters<typeof aLiveSession>[1]) =>
    inviteWriter(
      await sessionRow(slice.platform, await aLiveSession(slice.platform, { ...session, ownerId: newId('usr') })),
      tokens,
      'https://sauti.example/base/',
    );
  for (const state of ['ENDED', 'FAILED'] as const) expect(await invite({ state })).toBeNull();
  expect(await invite({ state: 'ENDING', isComplete: true })).toBeNull();
  const container = await invite({ encoding: 'CONTAINER' });
  expect(container).toMatchObject({ sampleRate: null, maxChunkBytes: 262_144 });
  expect(container!.webSocketUrl).toMatch(/^wss:\/\/sauti\.example\/base\/live\/liv_/);
});
