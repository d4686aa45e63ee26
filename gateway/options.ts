import type { ApolloServerPlugin } from '@apollo/server';
import type { AccessNews } from '../platform/identity/access-change';
import type { VerifiedToken } from '../platform/identity/access-token';
import type { CallIdentity } from '../platform/identity/viewer';
import type { Logger } from '../platform/logger';
import type { Subgraph } from '../platform/subgraph/subgraph';
import type { AuthorizationOptions } from './access/access';
import type { Caller } from './execute/execution';
import type { SubgraphSettings } from './fetch/subgraph-settings';
import type { SubscriptionSettings } from './subscriptions/settings';
import type { RateLimitOptions } from './rate-limits/options';
import { DEFAULT_LIMITS, type OperationLimits } from './limits';

/**
 * Learns who asks, and until when that holds, from the Authorization header; null without one. Throws a `SautiError`
 * with UNAUTHENTICATED for a bad or expired token.
 */
export type Authenticate = (authorization: string | undefined) => Promise<VerifiedToken | null>;

/**
 * Tells whose tokens have become void (signed out, revoked, other rights): first the changes of the last eleven minutes, then
 * each as it happens, and `current` every second while there are none. Runs until the signal aborts. The gateway asks anew
 * when it ends, rejects, or is silent for three seconds.
 */
export type AccessChanges = (signal: AbortSignal) => AsyncIterable<AccessNews>;

/**
 * Signs who asks, for one request to one subgraph. `body` is the exact JSON body, or what `call-identity.ts` names in
 * place of a body that is streamed (`MULTIPART_BODY`) or does not exist yet (`SOCKET_BODY`).
 */
export type SignCall = (subgraph: string, identity: CallIdentity, body: string) => string;

/** Where a subgraph is when it runs in another process, and how it is called. */
export interface RemoteSubgraph {
  /** Replaces the routing URL of the supergraph. */
  url?: string;
  /**
   * URL for subscriptions: `ws:` or `wss:` for `graphql-transport-ws`, `http:` or `https:` for the other protocols. Derived
   * from `url` when missing.
   */
  subscriptionUrl?: string;
  /** Default: in process where the subgraph was handed in, else HTTP. */
  transport?: 'http' | 'in-process';
  /** What differs from the defaults (`DEFAULT_SUBGRAPH_SETTINGS`). */
  settings?: Partial<SubgraphSettings>;
}

export interface GatewayOptions {
  /** Text of the composed supergraph. */
  supergraphSdl: string;
  /** Subgraphs that run in this process, by name. */
  subgraphs?: ReadonlyMap<string, Subgraph>;
  /** Another address, or other settings, for a subgraph; without it is reached at the supergraph's routing URL. */
  remoteSubgraph?: (name: string) => RemoteSubgraph | undefined;
  /** Without it every caller is anonymous and uploads need no viewer. */
  authenticate?: Authenticate;
  /** Without it a token is good, and its connections live, until it ends, whatever happens to its session. */
  accessChanges?: AccessChanges;
  /** How `@authenticated`, `@requiresScopes` and `@policy` are kept. Default: partial answers, and no policy holds. */
  authorization?: AuthorizationOptions;
  /** Without it calls to remote subgraphs carry no identity. */
  signCall?: SignCall;
  /** Subgraphs that learn with every mutation where it came from (`ClientFacts`), and may change the client's session. */
  clientFactsFor?: readonly string[];
  /** Addresses and networks (CIDR) of proxies whose X-Forwarded-For and X-Forwarded-Proto count. Default: none. */
  trustedProxies?: readonly string[];
  /**
   * Whether browsers may keep sessions in cookies: then these count as credentials, exact origins of `corsOrigins` may
   * send them, and the subgraphs of `clientFactsFor` change them. Default false.
   */
  cookieSessions?: boolean;
  /** Without it nothing is counted. */
  rateLimits?: RateLimitOptions;
  /** Hands the client's Authorization header to remote subgraphs; only for gateways without `signCall`. Default false. */
  forwardAuthorization?: boolean;
  /** Needed for subgraphs that send the events of subscriptions by callback; without it their settings are refused. */
  callback?: CallbackOptions;
  logger: Logger;
  /** Sandbox, GraphiQL, introspection, suggestions in errors and the CORS origins of Apollo's tools. */
  development: boolean;
  /** Whether clients may ask for the schema. Default: as `development`. */
  introspection?: boolean;
  /** Labels of `@override(label:)` that are on; those that say `percent(…)` decide for themselves. */
  overrideLabels?: readonly string[];
  planning?: PlanningOptions;
  /**
   * Plugins of Apollo Server. One that wants to see requests (`requestDidStart`) makes all of them pass through Apollo
   * Server, which costs more than executing a small query.
   */
  plugins?: readonly ApolloServerPlugin<Caller>[];
  /** Origins that may call from a browser: `https://app.example`, or `http://localhost:*` for any port. */
  corsOrigins?: readonly string[];
  limits?: Partial<GatewayLimits>;
  /** Whether `/metrics` is served, for Prometheus. It needs no token: in production keep it from the outside. Default: as `development`. */
  metrics?: boolean;
  /** What differs from `DEFAULT_SUBSCRIPTION_SETTINGS`. */
  subscriptions?: Partial<SubscriptionSettings>;
}

/** How subgraphs reach this very process with the events of subscriptions. */
export interface CallbackOptions {
  /** `http:` or `https:` URL of this gateway process as subgraphs see it; `/callback/<id>` is added to it. */
  publicUrl: string;
  /** How often a subgraph has to say that it still serves a subscription. Default 5 s. */
  heartbeatMs?: number;
}

export interface PlanningOptions {
  /** Time one operation may take to plan, in milliseconds. Default 2 000. */
  budgetMs?: number;
  /** Threads that plan. Default 2. */
  threads?: number;
  /** Folder in which plans outlive the process; false: none. */
  store?: string | false;
}

export interface GatewayLimits extends OperationLimits {
  /** Bytes of a JSON request body. Default 102 400. */
  maxBodyBytes: number;
  /** Bytes of one uploaded file. Default 2 GiB. */
  maxFileBytes: number;
  /** Files in one multipart request. Default 10. */
  maxFiles: number;
  /** Bytes of one subgraph answer over HTTP or WebSocket, decoded, where the subgraph's settings say nothing. Default 32 MiB. */
  maxAnswerBytes: number;
  /** Characters of JSON one answer may have. Default 32 Mi. */
  maxResponseLength: number;
  /** Time for one query or mutation, or for what follows one subscription event. Counts from the end of the request body. Default 30 s. */
  deadlineMs: number;
  /** Longest pause between two pieces of a request body. Default 15 s. */
  bodyIdleMs: number;
  /** Operations open at once on one WebSocket. Default 50. */
  maxOperationsPerSocket: number;
  /** Connections that carry streams, WebSockets that have said nothing yet among them, open at once in this process. Default 25 000. */
  maxConnections: number;
  /** Connections that carry streams (WebSockets, event streams, multipart answers) one user may have open. Default 20. */
  maxConnectionsPerUser: number;
  /** Subscriptions open at once in this process. Default 20 000. */
  maxSubscriptions: number;
  /** Subscriptions one user may have open in this process. Default 200. */
  maxSubscriptionsPerUser: number;
  /** Bytes of one WebSocket message. Default 64 KiB. */
  maxMessageBytes: number;
  /** Time a client has to send ConnectionInit. Default 3 s. */
  connectionInitMs: number;
  /** Plans kept. Default 1 000. */
  planCacheSize: number;
  /** Time in-flight requests get when the gateway stops. Default 10 s. */
  stopGraceMs: number;
}

export const DEFAULT_GATEWAY_LIMITS: GatewayLimits = {
  ...DEFAULT_LIMITS,
  maxBodyBytes: 102_400,
  maxFileBytes: 2 * 1024 ** 3,
  maxFiles: 10,
  maxAnswerBytes: 32 * 1024 ** 2,
  maxResponseLength: 32 * 1024 ** 2,
  deadlineMs: 30_000,
  bodyIdleMs: 15_000,
  maxOperationsPerSocket: 50,
  maxConnections: 25_000,
  maxConnectionsPerUser: 20,
  maxSubscriptions: 20_000,
  maxSubscriptionsPerUser: 200,
  maxMessageBytes: 64 * 1024,
  connectionInitMs: 3_000,
  planCacheSize: 1_000,
  stopGraceMs: 10_000,
};
