import { createGateway } from '../../gateway/server';
import { deriveCallKey } from '../../platform/identity/call-identity';
import { Lifecycle } from '../../platform/lifecycle';
import { silentLogger } from '../../platform/logger';
import type { Platform } from '../../platform/platform';
import { readRepositoryFile } from '../../platform/root';
import { serveSubgraph } from '../../platform/subgraph/serve';
import type { Subgraph } from '../../platform/subgraph/subgraph';
import { createFilesSubgraph } from '../../subgraphs/files/subgraph';
import { aScript, openMediaSlice, scripted, writtenTranslator, type MediaSlice } from '../../subgraphs/media/testing';
import { createNotificationSubgraph } from '../../subgraphs/notification/subgraph';
import { createTranslationSubgraph } from '../../subgraphs/translation/subgraph';
import { createUsersSubgraph } from '../../subgraphs/users/subgraph';
import { TestTokens } from './tokens';
import { SUBGRAPHS, type SubgraphName } from './places';

/** All five subgraphs on one database, behind a gateway and each behind a port of its own. */
export interface World extends AsyncDisposable {
  slice: MediaSlice;
  platform: Platform;
  tokens: TestTokens;
  gatewayUrl: string;
  /** Removes an account with all that is its. */
  forget(userId: string): Promise<void>;
  subgraphs: Readonly<Record<SubgraphName, { url: string; callKey: Buffer; subgraph: Subgraph }>>;
}

export async function openWorld(): Promise<World> {
  const slice = await openMediaSlice(scripted(aScript()), { translator: writtenTranslator('es') });
  const { platform } = slice;
  const lifecycle = new Lifecycle(silentLogger);
  const tokens = new TestTokens();
  const all: Record<SubgraphName, Subgraph> = {
    users: createUsersSubgraph(platform),
    files: createFilesSubgraph(platform),
    media: slice.subgraph,
    translation: createTranslationSubgraph(platform, lifecycle, []),
    notification: createNotificationSubgraph(platform),
  };
  const gateway = await createGateway({
    supergraphSdl: readRepositoryFile('gateway/supergraph.graphql'),
    subgraphs: new Map(Object.entries(all)),
    authenticate: tokens.authenticate,
    logger: silentLogger,
    development: true,
  });
  const { url } = await gateway.listen(0);
  const served = await Promise.all(SUBGRAPHS.map((name) => serve(all[name], platform.secret)));
  return {
    ...{ slice, platform, tokens, gatewayUrl: url },
    subgraphs: Object.fromEntries(SUBGRAPHS.map((name, index) => [name, served[index]!])) as never,
    forget: (userId) => forget(platform, userId),
    async [Symbol.asyncDispose]() {
      await gateway.stop();
      await Promise.all(served.map((one) => one[Symbol.asyncDispose]()));
      await lifecycle.stop();
      await slice[Symbol.asyncDispose]();
    },
  };
}

async function serve(subgraph: Subgraph, secret: string) {
  const callKey = deriveCallKey(secret, subgraph.name);
  const server = await serveSubgraph({ subgraph, callKey, host: '127.0.0.1', port: 0, logger: silentLogger });
  return { ...server, url: `http://127.0.0.1:${server.port}/graphql`, callKey, subgraph };
}

/** In the order in which tables need each other. */
async function forget({ database: { prisma } }: Platform, userId: string): Promise<void> {
  const ownerId = userId;
  const transcripts = { transcript: { ownerId } };
  await prisma.notification.deleteMany({ where: { ownerId } });
  await prisma.rendition.deleteMany({ where: { media: { ownerId } } });
  await prisma.transcriptTranslation.deleteMany({ where: transcripts });
  await prisma.segment.deleteMany({ where: transcripts });
  await prisma.speaker.deleteMany({ where: transcripts });
  await prisma.liveSession.deleteMany({ where: { ownerId } });
  await prisma.transcript.deleteMany({ where: { ownerId } });
  await prisma.media.deleteMany({ where: { ownerId } });
  await prisma.storedObject.deleteMany({ where: { ownerId } });
  await prisma.job.deleteMany({ where: { ownerId } });
  await prisma.user.deleteMany({ where: { id: userId } });
}
