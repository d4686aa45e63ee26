import type { IncomingHttpHeaders } from 'node:http';
import { isInternalHeader } from '../http/internal-headers';
import type { CallerScope } from './transport';

/** Which headers a subgraph gets besides those the gateway writes itself. Nothing of the client's passes unnamed. */
export interface HeaderRules {
  /** Names of client headers that are handed on, in lower case. */
  forward: readonly string[];
  /** Headers that every request to the subgraph carries, by lower-case name. */
  set: Readonly<Record<string, string>>;
}

/** RFC 9110 §5.6.2, in lower case. */
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
/** What HTTP lets be a header's value (RFC 9110 §5.5). */
export const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** About one connection and its framing (RFC 9110 §7.6.1, RFC 6455 §11.3), or written by the gateway itself. */
const OWN =
  /^(connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|expect|host|content-.*|sec-websocket-.*|accept|accept-encoding|x-request-id|apollo-require-preflight)$/;

/** What is wrong with header rules, each as a sentence part that starts with the name of the rule. */
export function headerRuleFaults(rules: HeaderRules): string[] {
  const faults: string[] = [];
  const seen = new Set<string>();
  for (const name of rules.forward) {
    if (!NAME.test(name)) faults.push(`headers.forward: "${name}" is no header name in lower case`);
    else if (OWN.test(name) || isInternalHeader(name)) faults.push(`headers.forward: "${name}" is never forwarded`);
    else if (seen.has(name)) faults.push(`headers.forward: "${name}" is named twice`);
    seen.add(name);
  }
  for (const [name, value] of Object.entries(rules.set)) {
    if (!NAME.test(name)) faults.push(`headers.set: "${name}" is no header name in lower case`);
    else if (OWN.test(name)) faults.push(`headers.set: "${name}" belongs to the gateway`);
    else if (seen.has(name)) faults.push(`headers.set: "${name}" is forwarded, too; choose one`);
    else if (!HEADER_VALUE.test(value)) faults.push(`headers.set: the value of "${name}" cannot be sent in a header`);
  }
  return faults;
}

/**
 * The client's headers that a call carries on, as name, value, name, value. The Authorization header is taken from the
 * call, because over WebSocket it comes with the first message and not with the upgrade.
 */
export function forwardedHeaders(names: readonly string[], call: CallerScope): string[] {
  const forwarded: string[] = [];
  for (const name of names) {
    const value = name === 'authorization' ? call.authorization : call.headers?.[name];
    if (value !== undefined) forwarded.push(name, typeof value === 'string' ? value : value.join(', '));
  }
  return forwarded;
}

/** Of a client's headers those that a rule can name; for whoever has to keep them for long. */
export function forwardable(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const kept: IncomingHttpHeaders = {};
  for (const name of Object.keys(headers)) if (!OWN.test(name) && !isInternalHeader(name)) kept[name] = headers[name];
  return kept;
}
