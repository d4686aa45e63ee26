import { SautiError } from '../errors';

/** Who asks: what the access token or API key proved. Never built from anything else a client sends. */
export interface Viewer {
  userId: string;
  /** `ses_…`, or `key_…` for a program with an API key. */
  sessionId: string;
  /** See `scopes.ts`. */
  scopes: readonly string[];
}

/** Where a request came from; told only to the subgraph that signs people in. */
export interface ClientFacts {
  /** As the trusted hop says it; an IPv6 address as its /64 network. Null when that cannot be told. */
  ipAddress: string | null;
  /** At most 300 characters, without control characters. */
  userAgent: string | null;
  /** In cookie mode what the client's cookies hold, each null without that cookie; null in bearer mode. */
  cookies: { refreshToken: string | null; deviceToken: string | null } | null;
}

/** What the gateway tells a subgraph with every call; over HTTP it travels signed (see `call-identity.ts`). */
export interface CallIdentity {
  /** Null for an anonymous caller. */
  viewer: Viewer | null;
  /** One id for everything that one client operation causes; appears in logs and masked errors. */
  requestId: string;
  /** Missing in calls to subgraphs that need not know. */
  client?: ClientFacts | undefined;
}

/** What an anonymous caller is told wherever it has to be somebody. */
export const SIGN_IN_FIRST = 'Sign in first: send a valid access token as "Authorization: Bearer <token>".';

/** The viewer, or UNAUTHENTICATED for an anonymous caller. */
export function requireViewer(viewer: Viewer | null): Viewer {
  if (viewer) return viewer;
  throw new SautiError('UNAUTHENTICATED', SIGN_IN_FIRST);
}
