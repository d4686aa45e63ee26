import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { configOptions } from '../gateway/config/config-options';
import { checkSubgraphNames } from '../gateway/config/subgraph-names';
import { edgeOptions } from '../gateway/edge-environment';
import { createGateway, type Gateway } from '../gateway/server';
import { createAuthenticator } from '../gateway/viewer/authenticator';
import { Lifecycle, stopOnSignals } from '../platform/lifecycle';
import { createLogger } from '../platform/logger';
import { OUTBOX_PATH } from '../platform/mail/outbox-route';
import { openPlatform } from '../platform/platform';
import { readRepositoryFile } from '../platform/root';
import { startFailure } from '../platform/start-failure';
import type { Subgraph } from '../platform/subgraph/subgraph';
import { createFilesSubgraph } from '../subgraphs/files/subgraph';
import { createMediaSubgraph } from '../subgraphs/media/subgraph';
import { createNotificationSubgraph } from '../subgraphs/notification/subgraph';
import { createTranslationSubgraph } from '../subgraphs/translation/subgraph';
import { createTextTranslator } from '../subgraphs/translation/text-translator';
import { createTranslators } from '../subgraphs/translation/translators';
import { createUsersSubgraph } from '../subgraphs/users/subgraph';
import { describeEngines } from './engines';
import { readStartEnvironment } from './environment';
import { startWorkerProcess } from './worker-process';

const FIRST_PORT = 4000;
const PORT_STEP = 10;
const PORTS_TRIED = 10;

/** All in one: gateway and subgraphs in this process, one worker process, an embedded PostgreSQL. Ends on Ctrl-C. */
async function main(): Promise<void> {
  const startedAt = performance.now();
  const environment = readStartEnvironment();
  const logger = createLogger({ name: 'sauti', level: environment.logLevel });
  const lifecycle = new Lifecycle(logger);
  stopOnSignals(lifecycle, logger, () => say('\nStopping: gateway, worker, database …'));

  let url = '';
  const publicUrl = (): string => environment.publicUrl ?? url;
  const platform = await openPlatform({ environment, lifecycle, logger, applicationName: 'sauti:start', publicUrl });
  const worker = startWorkerProcess(logger);
  lifecycle.onStop('worker', () => worker.stop(), 15_000);

  const users = createUsersSubgraph(platform, undefined, environment.users);
  const translators = createTranslators();
  const all: Subgraph[] = [
    users,
    createFilesSubgraph(platform),
    createMediaSubgraph(platform, lifecycle, { translator: createTextTranslator(translators) }),
    createTranslationSubgraph(platform, lifecycle, translators),
    createNotificationSubgraph(platform),
  ];
  const configured = configOptions(environment.gatewayConfig);
  checkSubgraphNames(
    environment.gatewayConfig,
    all.map(({ name }) => name),
  );
  const gateway = await createGateway({
    ...configured,
    supergraphSdl: readRepositoryFile('gateway/supergraph.graphql'),
    subgraphs: new Map(all.map((subgraph) => [subgraph.name, subgraph])),
    authenticate: createAuthenticator({ jwks: () => users.jwks() }),
    accessChanges: (signal) => users.accessChanges(signal),
    ...edgeOptions(environment.edge, { lifecycle, logger }),
    logger,
    development: !environment.production,
    corsOrigins: environment.corsOrigins,
    planning: { store: path.join(environment.dataDirectory, 'plans'), ...configured.planning },
    limits: { ...configured.limits, maxFileBytes: environment.gatewayMaxFileBytes },
  });
  lifecycle.onStop('gateway', () => gateway.stop(), 15_000);

  url = await listen(gateway, environment.host, environment.port);
  await writeFile(path.join(environment.dataDirectory, 'endpoint'), `${publicUrl()}/graphql\n`); // where the demo looks
  // On this machine only, whatever the public address is.
  const outbox = environment.users.accounts.outbox ? `${url}${OUTBOX_PATH}` : null;
  const facts = { elapsedMs: performance.now() - startedAt, outbox };
  say(welcome(publicUrl(), { ...facts, engines: await describeEngines(all) }));
  await worker.ready;
}

/** Opens the wanted port, or without a wish the first free one of 4000, 4010, …, so a second clone just works. */
async function listen(gateway: Gateway, host: string, wanted: number | null): Promise<string> {
  if (wanted !== null) return (await gateway.listen(wanted, host)).url;
  for (let attempt = 0; ; attempt++) {
    const port = FIRST_PORT + attempt * PORT_STEP;
    try {
      return (await gateway.listen(port, host)).url;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || attempt + 1 === PORTS_TRIED) throw error;
      say(`Port ${port} is taken by another program (another Sauti?); trying ${port + PORT_STEP}.`);
    }
  }
}

function welcome(
  url: string,
  { elapsedMs, outbox, engines }: { elapsedMs: number; outbox: string | null; engines: string },
): string {
  const mails = outbox ? `\n  Outbox     ${outbox}       mails that are not sent, because SMTP_URL is not set` : '';
  return `
Sauti is ready (${(elapsedMs / 1_000).toFixed(1)} s).

  GraphQL    ${url}/graphql      queries, mutations; subscriptions on the same address by WebSocket, SSE or multipart
  Sandbox    ${url}/graphql      open it in a browser (loads Apollo Sandbox from the internet)
  Explorer   ${url}/graphiql     the same without internet
  Demo       npm run demo                       upload a voice, watch it become text, in another terminal
  Live       npm run demo:live                  speak, or hear a sample: captions and their Spanish, word by word${mails}

${engines}
Ctrl-C stops everything and keeps the data.`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`Sauti could not start: ${startFailure(error)}\n`);
  process.exit(1);
});
