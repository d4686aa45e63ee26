import type { ServerResponse } from 'node:http';

/** A year, the least that browsers' preload lists take (RFC 6797 §6.1.1). */
const HSTS = 'max-age=31536000; includeSubDomains';

/**
 * What every answer says to browsers: its type is what it says, it is framed by nobody, no address leaks, and there is
 * nothing in it to run. Pages say themselves what they may do; what may be cached says so, too: errors never are.
 */
export function setSecurityHeaders(response: ServerResponse, { isSecure }: { isSecure: boolean }): void {
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('x-frame-options', 'DENY');
  response.setHeader('referrer-policy', 'no-referrer');
  response.setHeader('content-security-policy', "default-src 'none'; frame-ancestors 'none'");
  response.setHeader('cache-control', 'no-store');
  if (isSecure) response.setHeader('strict-transport-security', HSTS);
}
