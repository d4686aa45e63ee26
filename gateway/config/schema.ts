import { z } from 'zod';
import { headerRuleFaults } from '../fetch/header-rules';
import {
  CONNECTION_PARAMS,
  DEFAULT_UPSTREAM_SETTINGS,
  SUBSCRIPTION_PROTOCOLS,
  subscriptionSchemes,
} from '../fetch/upstream-settings';
import { unknownName } from './unknown-name';

/** Longest time any limit may be set to, in milliseconds: ten minutes. */
const MAX_MS = 600_000;

/** A part of the file. Unknown names are refused with the known one that is nearest. */
function section<Shape extends z.ZodRawShape>(shape: Shape) {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys' ? issue.keys.map((key) => unknownName(key, known)).join('; ') : undefined,
  });
}

const whole = (min: number, max: number) => z.int().min(min).max(max);
const ms = whole(1, MAX_MS);
const url = (...protocols: string[]) =>
  z.string().refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), {
    error: `must be a URL with ${protocols.join(' or ')}`,
  });
const httpUrl = url('http:', 'https:');

const headers = section({
  forward: z.array(z.string()).default([]),
  set: z.record(z.string(), z.string()).default({}),
}).superRefine((rules, context) => {
  for (const message of headerRuleFaults(rules)) context.addIssue({ code: 'custom', message });
});

const callSettings = {
  headers: headers.optional(),
  deadlineMs: section({ query: ms.optional(), mutation: ms.optional() }).optional(),
  maxAnswerBytes: whole(1, 2 ** 30).optional(),
  compression: z.boolean().optional(),
  retries: whole(0, 10).optional(),
  breaker: z
    .union([
      z.literal(false),
      section({
        windowMs: ms.optional(),
        minRequests: whole(1, 1_000_000).optional(),
        failurePercent: whole(1, 100).optional(),
        openMs: ms.optional(),
      }),
    ])
    .optional(),
  connections: whole(1, 10_000).optional(),
  shareInFlight: z.boolean().optional(),
};

const oneOf = <Values extends readonly [string, ...string[]]>(values: Values) =>
  z.enum(values, { error: `must be one of ${values.join(', ')}` });

const subscriptionShape = {
  protocol: oneOf(SUBSCRIPTION_PROTOCOLS).optional(),
  url: z.string().optional(),
  connectionParams: oneOf(CONNECTION_PARAMS).optional(),
  ackMs: ms.optional(),
  keepAliveMs: whole(100, MAX_MS).optional(),
};

const subscriptions = section(subscriptionShape).superRefine((given, context) => {
  const { protocol = DEFAULT_UPSTREAM_SETTINGS.protocol, url: address, connectionParams } = given;
  const fault = (name: string, message: string): void => context.addIssue({ code: 'custom', path: [name], message });
  const schemes = subscriptionSchemes(protocol);
  if (address !== undefined && !url(...schemes).safeParse(address).success)
    fault('url', `must be a URL with ${schemes.join(' or ')} for ${protocol}`);
  if (connectionParams !== undefined && protocol !== 'graphql-transport-ws')
    fault('connectionParams', `${protocol} has none`);
});

const callback = section({ publicUrl: httpUrl, heartbeatMs: whole(100, MAX_MS).optional() });

const subgraph = section({
  url: httpUrl.optional(),
  transport: z.enum(['http', 'in-process']).optional(),
  subscriptions: subscriptions.optional(),
  ...callSettings,
});

const supergraph = z.union([
  z.string().min(1),
  section({
    subgraphs: z.array(section({ name: z.string().min(1), url: httpUrl })).min(1),
    pollIntervalMs: whole(1_000, 86_400_000).optional(),
  }),
]);

/** Everything one gateway can be told in a file; docs/gateway-configuration.md explains each entry. */
export const gatewayConfigSchema = section({
  supergraph: supergraph.optional(),
  port: whole(0, 65_535).optional(),
  host: z.string().min(1).optional(),
  corsOrigins: z.array(z.string().min(1)).optional(),
  cookieSessions: z.boolean().optional(),
  trustedProxies: z.array(z.string().min(1)).optional(),
  rateLimits: z
    .union([
      z.literal(false),
      section({
        factor: whole(1, 10_000).optional(),
        general: section({ limit: whole(1, 10 ** 9), windowS: whole(1, 86_400) }).optional(),
      }),
    ])
    .optional(),
  introspection: z.boolean().optional(),
  authorization: section({ mode: oneOf(['partial', 'refuse'] as const).optional() }).optional(),
  overrideLabels: z.array(z.string().min(1)).optional(),
  planning: section({
    budgetMs: whole(10, MAX_MS).optional(),
    threads: whole(1, 16).optional(),
    cacheSize: whole(1, 1_000_000).optional(),
    store: z.union([z.literal(false), z.string().min(1)]).optional(),
  }).optional(),
  deadlineMs: whole(100, MAX_MS).optional(),
  limits: section({
    maxTokens: whole(1, 1_000_000).optional(),
    maxDepth: whole(1, 1_000).optional(),
    maxAliases: whole(0, 100_000).optional(),
    maxSelections: whole(1, 1_000_000).optional(),
    maxRepeats: whole(1, 1_000_000).optional(),
    maxBodyBytes: whole(1, 2 ** 30).optional(),
    maxFileBytes: whole(1, 2 ** 40).optional(),
    maxFiles: whole(1, 1_000).optional(),
    bodyIdleMs: ms.optional(),
    maxResponseLength: whole(1, 2 ** 29 - 24).optional(),
    maxOperationsPerSocket: whole(1, 100_000).optional(),
    maxConnections: whole(1, 1_000_000).optional(),
    maxConnectionsPerUser: whole(1, 1_000_000).optional(),
    maxSubscriptions: whole(1, 10_000_000).optional(),
    maxSubscriptionsPerUser: whole(1, 10_000_000).optional(),
    maxMessageBytes: whole(1, 2 ** 30).optional(),
    connectionInitMs: ms.optional(),
    stopGraceMs: whole(0, MAX_MS).optional(),
  }).optional(),
  metrics: z.boolean().optional(),
  subscriptions: section({
    replayEvents: whole(16, 100_000).optional(),
    replayBytes: whole(1, 2 ** 30).optional(),
    lingerMs: whole(0, MAX_MS).optional(),
    maxLingering: whole(0, 1_000_000).optional(),
    stallMs: whole(100, MAX_MS).optional(),
    retryForMs: whole(0, MAX_MS).optional(),
    retryFirstForMs: whole(0, MAX_MS).optional(),
  }).optional(),
  all: section(callSettings).optional(),
  callback: callback.optional(),
  subgraphs: z.record(z.string(), subgraph).optional(),
}).superRefine((config, context) => {
  if (config.callback) return;
  for (const [name, { subscriptions }] of Object.entries(config.subgraphs ?? {}))
    if (subscriptions?.protocol === 'callback')
      context.addIssue({
        code: 'custom',
        path: ['subgraphs', name, 'subscriptions', 'protocol'],
        message: 'callback needs callback.publicUrl, the URL of this gateway as subgraphs see it',
      });
});

/** The file as it is written, checked: what is not set is missing. */
export type GatewayConfig = z.infer<typeof gatewayConfigSchema>;
/** The entry of one subgraph. */
export type SubgraphConfig = z.infer<typeof subgraph>;
