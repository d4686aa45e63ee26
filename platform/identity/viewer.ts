import { SautiError } from '../errors';

/** Who asks: what the access token proved. Never built from anything else a client sends. */
export interface Viewer {
  userId: string;
  sessionId: string;
  scopes: readonly string[];
}

/** What the gateway tells a subgraph with every call; over HTTP it travels signed (see `call-identity.ts`). */
export interface CallIdentity {
  /** Null for an anonymous caller. */
  viewer: Viewer | null;
  /** One id for everything that one client operation causes; appears in logs and masked errors. */
  requestId: string;
}

/** The viewer, or UNAUTHENTICATED for an anonymous caller. */
export function requireViewer(viewer: Viewer | null): Viewer {
  if (viewer) return viewer;
  throw new SautiError(
    'UNAUTHENTICATED',
    'Sign in first: send a valid access token as "Authorization: Bearer <token>".',
  );
}
