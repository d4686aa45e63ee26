/** How events come from a subgraph; see docs/gateway-configuration.md. */
export const SUBSCRIPTION_PROTOCOLS = ['graphql-transport-ws', 'sse', 'callback'] as const;
export type SubscriptionProtocol = (typeof SUBSCRIPTION_PROTOCOLS)[number];

/**
 * What a subgraph gets as payload of `connection_init`, unless calls are signed: the Authorization header it is sent
 * anyway, what the client itself sent when it opened its WebSocket, or nothing. Where calls are signed, the signature is
 * always in it, and a client's own `authorization` never.
 */
export const CONNECTION_PARAMS = ['authorization', 'client', 'none'] as const;

/** How the gateway opens and watches the subscriptions at one subgraph. */
export interface UpstreamSettings {
  /** Default `graphql-transport-ws`. */
  protocol: SubscriptionProtocol;
  /** Only for `graphql-transport-ws`. Default `authorization`. */
  connectionParams: (typeof CONNECTION_PARAMS)[number];
  /**
   * Time for the subgraph to take a subscription, connecting included: until `connection_ack`, until the head of an event
   * stream, or until the answer to a subscription by callback. Default 10 s.
   */
  ackMs: number;
  /**
   * Interval of the gateway's pings on a WebSocket, and of TCP's on an event stream. A subgraph that leaves two
   * unanswered is gone. Default 10 s.
   */
  keepAliveMs: number;
}

export const DEFAULT_UPSTREAM_SETTINGS: UpstreamSettings = {
  protocol: 'graphql-transport-ws',
  connectionParams: 'authorization',
  ackMs: 10_000,
  keepAliveMs: 10_000,
};

/** The schemes of the URLs that a protocol is spoken at. */
export function subscriptionSchemes(protocol: SubscriptionProtocol): readonly string[] {
  return protocol === 'graphql-transport-ws' ? ['ws:', 'wss:'] : ['http:', 'https:'];
}
