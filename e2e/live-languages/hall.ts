import type { SignCall } from '../../gateway/options';
import { createGateway } from '../../gateway/server';
import { aRawSocket } from '../../gateway/testing/socket-client';
import { subscribeTo, type Subscriber } from '../../gateway/testing/subscriber';
import { deriveCallKey, signCallIdentity } from '../../platform/identity/call-identity';
import { USER_SCOPES } from '../../platform/identity/scopes';
import { Lifecycle } from '../../platform/lifecycle';
import { silentLogger } from '../../platform/logger';
import { readRepositoryFile } from '../../platform/root';
import { serveSubgraph } from '../../platform/subgraph/serve';
import type { Subgraph } from '../../platform/subgraph/subgraph';
import { waitFor } from '../../platform/testing/wait';
import { createTranslationSubgraph } from '../../subgraphs/translation/subgraph';
import { WrittenTranslator } from '../../subgraphs/translation/testing';
import type { Mode } from '../system';
import { Speaker } from './speaker';

export const LANGUAGES = ['es', 'fr', 'pt', 'ca', 'it', 'gl', 'oc', 'eo', 'de', 'nl'];
const SUBSCRIBERS = 200;
/** Each carries as many subscribers of every language. */
const SOCKETS = 10;
const SECRET = 'a secret that only tests know, of decent length';
const CAPTIONS = `subscription ($to: LanguageTag!) { liveTranscript(sessionId: "liv_1") {
  ... on SegmentChanged { segment { revision state text translation(to: $to) { text provisional sourceWords } } } } }`;

/** A gateway before a speaker and the translation subgraph, in one process or each behind HTTP. */
export async function openHall(mode: Mode) {
  const opened: AsyncDisposable[] = [];
  let nowMs = 1_000;
  const speaker = new Speaker();
  const translator = new WrittenTranslator(LANGUAGES.map((language) => ['en', language]));
  const translation = createTranslationSubgraph(
    { logger: silentLogger },
    new Lifecycle(silentLogger),
    [translator],
    () => nowMs,
  );
  const fetches: string[] = [];
  const counted: Subgraph = {
    ...translation,
    execute(request, call) {
      fetches.push(request.query);
      return translation.execute(request, call);
    },
  };
  const subgraphs = new Map([
    ['media', speaker.asSubgraph()],
    ['translation', counted],
  ]);
  const gateway = await createGateway({
    supergraphSdl: readRepositoryFile('gateway/supergraph.graphql'),
    ...(mode === 'all in one' ? { subgraphs } : await apart(subgraphs, opened)),
    authenticate: async () => ({
      viewer: { userId: 'usr_1', sessionId: 'ses_1', scopes: [...USER_SCOPES] },
      issuedAt: new Date(),
      endsAt: new Date(Date.now() + 600_000),
    }),
    logger: silentLogger,
    development: true,
  });
  opened.push({ [Symbol.asyncDispose]: () => gateway.stop() });
  const { address } = await gateway.listen(0, '127.0.0.1');
  const webSocketUrl = `ws://127.0.0.1:${address.port}/graphql`;

  return {
    speaker,
    translator,
    fetches,
    pass: (ms: number) => void (nowMs += ms),
    /** Everybody who listens: each socket carries many. */
    async listeners(): Promise<Subscriber[]> {
      const sockets = await Promise.all(
        Array.from({ length: SOCKETS }, () => aRawSocket(webSocketUrl, { init: { authorization: 'Bearer usr_1' } })),
      );
      const all = Array.from({ length: SUBSCRIBERS }, (_, index) => {
        const variables = { to: LANGUAGES[index % LANGUAGES.length] };
        const on = sockets[Math.floor((index * SOCKETS) / SUBSCRIBERS)]!;
        return subscribeTo({ gateway, webSocketUrl }, CAPTIONS, { variables, on, id: String(index) });
      });
      await waitFor('all subscriptions', () => gateway.subscriptions.subscriptions === SUBSCRIBERS);
      await waitFor('that of the subgraph', () => speaker.listeners > 0);
      return Promise.all(all);
    },
    async [Symbol.asyncDispose]() {
      for (const each of opened.reverse()) await each[Symbol.asyncDispose]();
    },
  };
}

/** Puts each subgraph behind HTTP. */
async function apart(subgraphs: ReadonlyMap<string, Subgraph>, opened: AsyncDisposable[]) {
  const urls = new Map<string, string>();
  for (const [name, subgraph] of subgraphs) {
    const callKey = deriveCallKey(SECRET, name);
    const served = await serveSubgraph({ subgraph, callKey, host: '127.0.0.1', port: 0, logger: silentLogger });
    opened.push(served);
    urls.set(name, `http://127.0.0.1:${served.port}/graphql`);
  }
  const signCall: SignCall = (name, identity, body) =>
    signCallIdentity(deriveCallKey(SECRET, name), name, identity, body);
  const remoteSubgraph = (name: string) => (urls.has(name) ? { url: urls.get(name)! } : undefined);
  return { remoteSubgraph, signCall };
}
