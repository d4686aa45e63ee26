import type { IncomingMessage, ServerResponse } from 'node:http';

/** Where Apollo's hosted and embedded Sandbox and local front ends come from; added in development only. */
export const DEVELOPMENT_ORIGINS = [
  'https://studio.apollographql.com',
  'https://sandbox.embed.apollographql.com',
  'http://localhost:*',
  'https://localhost:*',
  'http://127.0.0.1:*',
  'https://127.0.0.1:*',
];

const PREFLIGHT_MAX_AGE_S = 600;

export interface OriginPolicy {
  /**
   * Whether a page of this origin may call. A request without Origin comes from no page of another site; one whose
   * origin is the host it calls comes from the gateway's own pages.
   */
  isAllowed(request: IncomingMessage): boolean;
  /**
   * Whether a page of this origin, which there must be, may call with the cookies of its user: exact origins of the
   * configuration and the gateway's own, which is plain HTTP only on this very machine. Nobody where cookies do not count.
   */
  mayHaveCredentials(request: IncomingMessage): boolean;
}

/**
 * Allows exact origins (`https://app.example`) and, with `:*` at the end, any port of a host. Cookies count only for the
 * exact ones among `withCredentials`, and for nobody without that list.
 */
export function originPolicy(origins: readonly string[], withCredentials?: readonly string[]): OriginPolicy {
  const exact = new Set(origins.filter((origin) => !origin.endsWith(':*')));
  const anyPort = new Set(origins.filter((origin) => origin.endsWith(':*')).map((origin) => origin.slice(0, -2)));
  return {
    isAllowed(request) {
      const origin = request.headers.origin;
      if (origin === undefined) return true;
      if (exact.has(origin) || anyPort.has(origin.replace(/:\d+$/, ''))) return true;
      return origin === `http://${request.headers.host}` || origin === `https://${request.headers.host}`;
    },
    mayHaveCredentials({ headers: { origin, host } }) {
      if (!withCredentials || origin === undefined) return false;
      if ((exact.has(origin) && withCredentials.includes(origin)) || origin === `https://${host}`) return true;
      return origin === `http://${host}` && LOOPBACK.test(origin);
    },
  };
}

/** Browsers take a page from here for one that came over HTTPS. */
const LOOPBACK = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

/** Adds the CORS headers an allowed origin needs; credentials are for exact origins, and only where cookies count. */
export function allowOrigin(request: IncomingMessage, response: ServerResponse, policy: OriginPolicy): void {
  response.setHeader('vary', 'Origin');
  const origin = request.headers.origin;
  if (origin === undefined || !policy.isAllowed(request)) return;
  response.setHeader('access-control-allow-origin', origin);
  if (policy.mayHaveCredentials(request)) response.setHeader('access-control-allow-credentials', 'true');
  response.setHeader(
    'access-control-expose-headers',
    'x-request-id, x-connection-id, retry-after, content-disposition',
  );
}

/** Answers an OPTIONS request: any header may be sent from an allowed origin, nothing from another. */
export function answerPreflight(request: IncomingMessage, response: ServerResponse, policy: OriginPolicy): boolean {
  if (!policy.isAllowed(request)) return false;
  response.writeHead(204, {
    'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS',
    'access-control-allow-headers': request.headers['access-control-request-headers'] ?? 'content-type, authorization',
    'access-control-max-age': String(PREFLIGHT_MAX_AGE_S),
    allow: 'GET, HEAD, POST, PUT, DELETE, OPTIONS',
  });
  response.end();
  return true;
}
