import type { IncomingMessage } from 'node:http';
import { SautiError } from '../../platform/errors';
import type { VerifiedToken } from '../../platform/identity/access-token';
import type { ClientFacts } from '../../platform/identity/viewer';
import { asksForCookies, checkCookieRequest, isFromTrustedPage, SESSION_HEADER } from '../http/cookie-guard';
import type { OriginPolicy } from '../http/cors';
import { stripInternalHeaders } from '../http/internal-headers';
import { HttpError } from '../http/responses';
import { readSessionCookies, withoutSessionCookies, type SessionCookies } from '../http/session-cookies';
import type { ClientSource } from '../http/source';
import type { Authenticate } from '../options';
import { credentialsOf } from './credentials';

/** Who makes a request, and from where. */
export interface RequestIdentity {
  token: VerifiedToken | null;
  /** What proved it, as an Authorization header. */
  authorization: string | undefined;
  /** Undefined where nobody needs it. */
  client: ClientFacts | undefined;
  /** Whether the client keeps its session in cookies, which the answer may change. */
  isCookieMode: boolean;
}

/** Who opens a WebSocket, as far as that is known before its first message. */
export interface SocketIdentity {
  /** From the cookie; what the first message says comes before it. */
  authorization: string | undefined;
  client: ClientFacts | undefined;
}

/** Finds out who asks: the only reader of addresses, credentials and cookies of requests. */
export interface Identification {
  /** Whether there are viewers at all. */
  hasViewers: boolean;
  /**
   * Notes where a request comes from, and takes what only the gateway or its proxies may say out of its headers. Comes
   * first. Answers whether the client's own connection is encrypted.
   */
  enter(request: IncomingMessage): { isSecure: boolean };
  /**
   * Throws an `HttpError`: 400 for several credentials, 401 for one that is not good, 403 for cookies that another site may
   * have caused to be sent, 503 when that cannot be found out. Takes credentials of ours out of the headers.
   */
  identify(request: IncomingMessage, url: URL): Promise<RequestIdentity>;
  /** The same for a connection that asks to become a WebSocket, whose first message may still say who it is. */
  identifySocket(request: IncomingMessage): SocketIdentity;
}

export interface IdentificationOptions {
  authenticate: Authenticate | undefined;
  source: ClientSource;
  origins: OriginPolicy;
  /** Whether sessions may be in cookies. */
  cookieSessions: boolean;
  /** Whether anybody needs to know where requests come from. */
  needsFacts: boolean;
}

/** A header is written into audit logs and lists of sessions: as much of it as helps. */
const MAX_USER_AGENT_LENGTH = 300;
const NO_COOKIES: SessionCookies = { access: null, refresh: null, device: null };

export function createIdentification(options: IdentificationOptions): Identification {
  const { authenticate, source, origins, cookieSessions, needsFacts } = options;
  const facts = new WeakMap<IncomingMessage, ClientFacts>();
  const cookiesOf = ({ headers }: IncomingMessage): SessionCookies =>
    cookieSessions ? readSessionCookies(headers.cookie) : NO_COOKIES;

  return {
    hasViewers: authenticate !== undefined,
    enter(request) {
      if (needsFacts) facts.set(request, factsOf(request, source));
      const isSecure = source.isSecure(request);
      stripInternalHeaders(request.headers);
      return { isSecure };
    },
    async identify(request, url) {
      const cookies = cookiesOf(request);
      const isCookieMode = cookieSessions && asksForCookies(request);
      const { authorization, isCookie } = authenticate
        ? credentialsOf(request, isVisit(request, url) ? null : cookies.access)
        : { authorization: request.headers.authorization, isCookie: false };
      if (isCookie || isCookieMode) checkCookieRequest(request, origins);
      // Who comes to refresh or to sign in cannot take a cookie away that is not good any more.
      const isOptional = isCookie && isCookieMode;
      const token = await verify(authenticate, authorization, isOptional);
      const known = facts.get(request);
      const held = isCookieMode ? { refreshToken: cookies.refresh, deviceToken: cookies.device } : null;
      if (authenticate) stripCredentials(request);
      return { token, authorization, client: known && { ...known, cookies: held }, isCookieMode };
    },
    identifySocket(request) {
      const { access } = cookiesOf(request);
      if (access !== null && request.headers.origin === undefined)
        throw new HttpError(403, 'FORBIDDEN', 'A WebSocket with cookies must say which page opens it (Origin).');
      // A page that may not send cookies opens a socket like any other client: its first message says who it is.
      const counts = access !== null && isFromTrustedPage(request, origins);
      if (authenticate) stripCredentials(request);
      return { authorization: counts ? `Bearer ${access}` : undefined, client: facts.get(request) };
    },
  };
}

/** Somebody opens a page or claims a stream: nothing is asked on anybody's behalf, and cookies come along by themselves. */
function isVisit({ method }: IncomingMessage, { searchParams }: URL): boolean {
  return method === 'GET' && !searchParams.has('query');
}

async function verify(
  authenticate: Authenticate | undefined,
  authorization: string | undefined,
  isOptional: boolean,
): Promise<VerifiedToken | null> {
  try {
    return (await authenticate?.(authorization)) ?? null;
  } catch (error) {
    if (!(error instanceof SautiError)) throw error;
    const isBad = error.code === 'UNAUTHENTICATED';
    if (isBad && isOptional) return null;
    throw new HttpError(isBad ? 401 : 503, error.code, error.message, { cause: error });
  }
}

function factsOf(request: IncomingMessage, source: ClientSource): ClientFacts {
  const agent = request.headers['user-agent'];
  return {
    ipAddress: source.addressOf(request),
    userAgent: agent?.replace(/[\p{Cc}\p{Cs}]/gu, ' ').slice(0, MAX_USER_AGENT_LENGTH) ?? null,
    cookies: null,
  };
}

/** What proves a session to the gateway is nothing for subgraphs, whatever they are forwarded. */
function stripCredentials({ headers }: IncomingMessage): void {
  delete headers['x-api-key'];
  delete headers[SESSION_HEADER];
  const others = headers.cookie === undefined ? undefined : withoutSessionCookies(headers.cookie);
  if (others === undefined) delete headers.cookie;
  else headers.cookie = others;
}
