import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { DEFAULT_MEDIA_LIMITS } from '../../platform/environment';
import type { Viewer } from '../../platform/identity/viewer';
import { USER_SCOPES } from '../../platform/identity/scopes';
import { newId } from '../../platform/ids';
import { Lifecycle } from '../../platform/lifecycle';
import { silentLogger } from '../../platform/logger';
import { openPlatform, type Platform } from '../../platform/platform';
import { DEFAULT_ACCOUNT_SETTINGS } from '../../subgraphs/users/accounts/account-settings';
import { hashPassword } from '../../subgraphs/users/accounts/passwords';
import { createUsersSubgraph, type UsersSubgraph } from '../../subgraphs/users/subgraph';
import { areaUnderCurve, medianOf } from './statistics';

const PASSWORD = 'correct horse battery staple';
const SIGN_IN = 'mutation ($input: SignInInput!) { result: signIn(input: $input) { errors { code message path } } }';
const SIGN_UP =
  'mutation ($input: SignUpInput!) { result: signUp(input: $input) { verificationSent errors { code message path } } }';
const RESET = 'mutation ($input: EmailInput!) { result: requestPasswordReset(input: $input) { ok errors { code } } }';
const CHANGE = 'mutation ($input: EmailInput!) { result: changeEmail(input: $input) { ok errors { code } } }';

type Call = () => Promise<unknown>;
/** One pair: the same call for an address with an account and for one without. */
type Pair = () => Promise<{ known: Call; unknown: Call }>;

/**
 * `npm run bench:users [-- --pairs N]`: whether the time of an answer tells if an address has an account. Prints, for
 * interleaved pairs, the ratio of the medians (P15: 0.95 to 1.05) and how well the best threshold guesses (at most 0.60).
 */
async function main(): Promise<void> {
  const pairs = Number(/--pairs[= ](\d+)/.exec(process.argv.slice(2).join(' '))?.[1] ?? 200);
  const lifecycle = new Lifecycle(silentLogger);
  const dataDirectory = await mkdtemp(path.join(os.tmpdir(), 'sauti-bench-'));
  try {
    const platform = await aPlatform(dataDirectory, lifecycle);
    const users = createUsersSubgraph(platform, undefined, {
      accounts: { ...DEFAULT_ACCOUNT_SETTINGS, requireVerifiedEmail: true },
    });
    for (const [name, pair] of Object.entries(await figures(platform, users))) {
      const count = /sign-in/.test(name) ? pairs : Math.ceil(pairs / 4);
      process.stdout.write(`${name.padEnd(36)} ${await measure(pair, count)}\n`);
    }
  } finally {
    await lifecycle.stop();
    await rm(dataDirectory, { recursive: true, force: true });
  }
}

async function figures(platform: Platform, users: UsersSubgraph): Promise<Record<string, Pair>> {
  const passwordHash = await hashPassword(PASSWORD);
  const account = (changes: object = {}) => anAccount(platform, { passwordHash, ...changes });
  const call = (query: string, input: object, viewer: Viewer | null = null): Call => {
    const identity = { viewer, requestId: 'bench' };
    return async () => {
      const { data, errors } = await users.execute(
        { query, variables: { input } },
        { identity, signal: new AbortController().signal },
      );
      if (errors) throw new Error(JSON.stringify(errors));
      return data;
    };
  };
  const signIn = (email: string, password: string): Call => call(SIGN_IN, { email, password });
  const signUp = (email: string): Call => call(SIGN_UP, { email, password: PASSWORD, displayName: 'Amina' });
  return {
    'sign-in, wrong password': async () => ({
      known: signIn((await account()).email, 'a wrong password'),
      unknown: signIn(anEmail(), 'a wrong password'),
    }),
    'sign-in, suspended account': async () => ({
      known: signIn((await account({ status: 'SUSPENDED' })).email, PASSWORD),
      unknown: signIn(anEmail(), PASSWORD),
    }),
    'sign-in, account without a password': async () => ({
      known: signIn((await account({ passwordHash: null })).email, PASSWORD),
      unknown: signIn(anEmail(), PASSWORD),
    }),
    'sign-up where addresses are verified': async () => ({
      known: signUp((await account()).email),
      unknown: signUp(anEmail()),
    }),
    'password reset': async () => ({
      known: call(RESET, { email: (await account()).email }),
      unknown: call(RESET, { email: anEmail() }),
    }),
    'change of address': async () => ({
      known: call(CHANGE, { email: (await account()).email }, (await account()).viewer),
      unknown: call(CHANGE, { email: anEmail() }, (await account()).viewer),
    }),
  };
}

async function measure(prepare: Pair, pairs: number): Promise<string> {
  const known: number[] = [];
  const unknown: number[] = [];
  const answers = new Set<string>();
  const run = async (call: Call, times: number[]): Promise<void> => {
    const startedAt = performance.now();
    const answer = await call();
    times.push(performance.now() - startedAt);
    answers.add(JSON.stringify(answer));
  };
  for (let index = 0; index < pairs; index++) {
    const pair = await prepare();
    const order = index % 2 === 0 ? (['known', 'unknown'] as const) : (['unknown', 'known'] as const);
    for (const which of order) await run(pair[which], which === 'known' ? known : unknown);
  }
  const ratio = medianOf(known) / medianOf(unknown);
  const area = areaUnderCurve(known, unknown);
  return (
    `${pairs} pairs: known ${medianOf(known).toFixed(1)} ms, unknown ${medianOf(unknown).toFixed(1)} ms, ` +
    `ratio ${ratio.toFixed(3)}, guess ${area.toFixed(2)}, ${answers.size === 1 ? 'same bytes' : 'OTHER BYTES'}`
  );
}

function anEmail(): string {
  return `${newId('usr')}@mwanga.example`;
}

async function anAccount(
  { database: { prisma } }: Platform,
  changes: object,
): Promise<{ email: string; viewer: Viewer }> {
  const email = anEmail();
  const facts = { displayName: 'Amina', locale: 'en', timeZone: 'UTC', emailVerifiedAt: new Date() };
  const { id } = await prisma.user.create({ data: { id: newId('usr'), email, emailKey: email, ...facts, ...changes } });
  const expiresAt = new Date(Date.now() + 3_600_000);
  const session = await prisma.session.create({ data: { id: newId('ses'), userId: id, expiresAt } });
  return { email, viewer: { userId: id, sessionId: session.id, scopes: [...USER_SCOPES] } };
}

function aPlatform(dataDirectory: string, lifecycle: Lifecycle): Promise<Platform> {
  return openPlatform({
    environment: {
      databaseUrl: null,
      redisUrl: null,
      fetchFilesFrom: null,
      dataDirectory,
      secret: null,
      logLevel: 'silent',
      production: false,
      maxFileBytes: 1,
      mediaLimits: DEFAULT_MEDIA_LIMITS,
      plans: null,
    },
    lifecycle,
    logger: silentLogger,
    applicationName: 'sauti:bench',
    publicUrl: () => 'http://localhost:4000',
  });
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error instanceof Error ? error.stack : error)}\n`);
  process.exitCode = 1;
});
