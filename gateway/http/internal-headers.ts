import type { IncomingHttpHeaders } from 'node:http';

/**
 * Headers that look as if the gateway or a proxy had written them. A client's word on these must not be taken for theirs:
 * where it comes from, who it is and what it may do, and whether to reveal a trace.
 */
const INTERNAL = [
  /^forwarded$|^x-forwarded(-|$)|^x-original-|^x-rewrite-url$/,
  /^x-real-ip$|^x-(client|cluster-client|remote|originating)-(ip|addr)$|^(true-client|cf-connecting)-ip(v6)?$/,
  /^(x-)?(auth-|authenticated-|remote-)?(user|viewer|subject)(-?(id|name|email))?$/,
  /^(x-)?((auth|user|viewer)-)?(roles?|scopes?|permissions?)$/,
  /^x-(internal|sauti)(-|$)|^apollo-federation-include-trace$/,
];

/** Whether a header of this name (in lower case) is for the gateway and its proxies alone; `_` is `-`, as many servers read it. */
export function isInternalHeader(name: string): boolean {
  const plain = name.includes('_') ? name.replaceAll('_', '-') : name;
  return INTERNAL.some((pattern) => pattern.test(plain));
}

/** Takes such headers out of what a client sent. */
export function stripInternalHeaders(headers: IncomingHttpHeaders): void {
  for (const name of Object.keys(headers)) if (isInternalHeader(name)) delete headers[name];
}
