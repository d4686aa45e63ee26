/** Hive Gateway with everything off that reports, polls or shows pages; BENCH_SHARE_IN_FLIGHT=1 shares equal calls. */
import { defineConfig } from '@graphql-hive/gateway';

export const gatewayConfig = defineConfig({
  logging: 'warn',
  pollingInterval: 0,
  graphiql: false,
  landingPage: false,
  disableWebsockets: true,
  transportEntries: {
    '*.http': { options: { deduplicateInflightRequests: process.env.BENCH_SHARE_IN_FLIGHT === '1' } },
  },
});
