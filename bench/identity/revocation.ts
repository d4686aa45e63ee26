import { startDeployment, type Deployment } from '../../e2e/sessions/deployment';
import { Device } from '../../e2e/sessions/device';
import { DEFAULT_MEDIA_LIMITS } from '../../platform/environment';
import { Lifecycle } from '../../platform/lifecycle';
import { silentLogger } from '../../platform/logger';
import { openPlatform, type Platform } from '../../platform/platform';
import { waitFor } from '../../platform/testing/wait';
import { timesFigure, type Figure } from '../figure';
import { benchFolder } from '../run-figures';

const ROUNDS = 30;
/** Promised: P14 for reuse; J7 grants five seconds to everything else. */
const LIMIT_MS = 1_000;

type Mode = keyof Deployment['gateways'];

/** How long after the answer that says so a session is dead: at the gateway that was asked and at the other one. */
export async function measureRevocation(): Promise<Figure[]> {
  const lifecycle = new Lifecycle(silentLogger);
  try {
    const platform = await ownPlatform(lifecycle);
    await using system = await startDeployment(platform);
    const figures: Figure[] = [];
    for (const mode of ['in process', 'apart'] as const)
      figures.push(...(await measureGateway(system, platform, mode)));
    return figures;
  } finally {
    await lifecycle.stop();
  }
}

async function measureGateway(system: Deployment, platform: Platform, mode: Mode): Promise<Figure[]> {
  const [http, socket, events]: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round < ROUNDS; round++) {
    const device = await Device.signUp(system.gateways[mode], `${mode.replace(' ', '-')}-${round}@sauti.example`);
    const stolen = device.refreshToken;
    for (let count = 0; count < 2; count++) await device.refresh();
    await platform.database.prisma.$executeRaw`
      update users.refresh_token set used_at = used_at - interval '1 minute' where session_id = ${device.sessionId}`;
    const [open, stream] = await Promise.all([device.openSocket(), device.openEvents()]);
    // The other gateway is asked: this one has to hear of it.
    const thief = device.at(system.gateways[mode === 'apart' ? 'in process' : 'apart']);
    const code = await thief.refresh(stolen);
    if (code !== 'TOKEN_REUSED') throw new Error(`An old refresh token was answered with ${code}.`);
    const startedAt = performance.now();
    const since = (times: number[]) => () => void times.push(performance.now() - startedAt);
    await Promise.all([
      open.closed.then(since(socket)),
      stream.ended.then(since(events)),
      waitFor('the refusal', async () => (await device.status()) === 401).then(since(http)),
    ]);
  }
  return [
    timesFigure(`Reuse of an ancestor → HTTP refused, users ${mode}`, http, 1, LIMIT_MS),
    timesFigure(`Reuse of an ancestor → WebSocket closed, users ${mode}`, socket, 1, LIMIT_MS),
    timesFigure(`Reuse of an ancestor → event stream ended, users ${mode}`, events, 1, LIMIT_MS),
  ];
}

function ownPlatform(lifecycle: Lifecycle): Promise<Platform> {
  return openPlatform({
    environment: {
      databaseUrl: null,
      redisUrl: null,
      fetchFilesFrom: null,
      dataDirectory: benchFolder('identity'),
      secret: null,
      logLevel: 'silent',
      production: false,
      maxFileBytes: 2 ** 20,
      mediaLimits: DEFAULT_MEDIA_LIMITS,
      plans: null,
    },
    lifecycle,
    logger: silentLogger,
    applicationName: 'sauti:bench',
    publicUrl: () => 'http://localhost',
  });
}
