import { Lifecycle } from '../../platform/lifecycle';
import { silentLogger } from '../../platform/logger';
import { DEFAULT_MEDIA_LIMITS } from '../../platform/environment';
import { openPlatform } from '../../platform/platform';
import { createUsersSubgraph } from '../../subgraphs/users/subgraph';

/** Refreshes one token and dies with the answer in its hands: the rotation is committed, and nobody ever hears of it. */
async function main(): Promise<void> {
  const { databaseUrl, secret, dataDirectory, token } = JSON.parse(process.argv[2]!) as Record<string, string>;
  const platform = await openPlatform({
    environment: {
      databaseUrl: databaseUrl!,
      redisUrl: null,
      fetchFilesFrom: null,
      dataDirectory: dataDirectory!,
      secret: secret!,
      logLevel: 'silent',
      production: false,
      maxFileBytes: 1,
      mediaLimits: DEFAULT_MEDIA_LIMITS,
      plans: null,
    },
    lifecycle: new Lifecycle(silentLogger),
    logger: silentLogger,
    applicationName: 'sauti:dying',
    publicUrl: () => '',
  });
  const query = `mutation ($token: String!) {
    refreshSession(input: { refreshToken: $token }) { tokens { refreshToken } errors { code } } }`;
  const { data, errors } = await createUsersSubgraph(platform).execute(
    { query, variables: { token } },
    { identity: { viewer: null, requestId: 'r' }, signal: new AbortController().signal },
  );
  const { tokens } = (data?.['refreshSession'] ?? {}) as { tokens?: object };
  if (tokens) process.kill(process.pid, 'SIGKILL');
  throw new Error(`The token was not exchanged: ${JSON.stringify(errors ?? data)}`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exit(1);
});
