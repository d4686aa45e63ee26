import type { SignCall } from '../options';
import { forwardedHeaders } from './header-rules';
import type { SubgraphSettings } from './subgraph-settings';
import { viewerScope, type CallerScope, type SubgraphCall } from './transport';

/** What decides how a subgraph learns who asks. */
export interface IdentityOptions {
  /** The subgraph's. */
  name: string;
  /** Signs who asks; then `authorization` is never a forwarded or set header. */
  signCall: SignCall | undefined;
  settings: Pick<SubgraphSettings, 'headers' | 'subscriptions'>;
}

/** See `Transport.scopeOf`. */
export function scopeOf({ settings, signCall }: IdentityOptions, caller: CallerScope): string {
  const { protocol, connectionParams } = settings.subscriptions;
  const isForwarded = protocol === 'graphql-transport-ws' && connectionParams === 'client';
  return JSON.stringify([
    signCall ? viewerScope(caller) : '',
    isForwarded ? (caller.connectionParams ?? null) : null,
    ...forwardedHeaders(settings.headers.forward, caller),
  ]);
}

/** Name, value, name, value: what proves who asks, what is forwarded, and what is always sent. */
export function identityHeaders(options: IdentityOptions, caller: CallerScope, body: string): string[] {
  const headers = forwardedHeaders(options.settings.headers.forward, caller);
  if (options.signCall)
    headers.push('authorization', `Bearer ${options.signCall(options.name, caller.identity, body)}`);
  for (const [name, value] of Object.entries(options.settings.headers.set)) headers.push(name, value);
  return headers;
}

/** The same for one request over HTTP, with the id that joins its entries in the logs. */
export function callHeaders(options: IdentityOptions, call: SubgraphCall, body: string): string[] {
  return ['x-request-id', call.identity.requestId, ...identityHeaders(options, call, body)];
}
