import { randomUUID } from 'node:crypto';
import { GraphQLError } from 'graphql';
import { SautiError } from '../../platform/errors';
import type { VerifiedToken } from '../../platform/identity/access-token';
import type { Authenticate, GatewayLimits } from '../options';
import { voidToken, type AccessWatch } from '../viewer/access-watch';
import { Entry } from './entry';
import { watchExpiry } from './expiry';
import { Holders } from './holders';
import { Places, TOO_MANY_CONNECTIONS } from './places';

/** Why a connection has to end although its client did nothing wrong. */
export type EndReason = 'TOKEN_EXPIRED' | 'SESSION_ENDED' | 'ACCESS_CHANGED' | 'GOING_AWAY';

/** What a transport opens: a socket, an event stream, a multipart answer. None of its functions may throw. */
export interface Connection {
  /** Who opened it, and until when that holds; null for an anonymous client, whose connection lives until it closes. */
  readonly token: VerifiedToken | null;
  /** Whether its transport has taken a place for it already, before it was known whose it is, and gives that back itself. */
  readonly hasPlace: boolean;
  /** Its client proved again who it is: what is asked from now on is asked with this. */
  onRenewed(token: VerifiedToken, authorization: string): void;
  /** Called once, `EXPIRY_NOTICE_MS` before a token ends, or at once when there is less time; again after a renewal. */
  onExpiring?(endsAt: Date): void;
  /** It has to close now. It is no longer among the open ones; it need not be closed here again. */
  onEnd(reason: EndReason): void;
}

export interface OpenConnection {
  /** Cannot be guessed. Whoever has it and is the same user may renew the connection. */
  readonly id: string;
  /** It is gone. May be called again, and after its end. */
  close(): void;
}

/** The open connections that carry streams, whatever they arrived by: who they speak for, and for how long. */
export interface Connections extends AsyncDisposable {
  /**
   * Counts a connection in and watches its token and session from now on. A `GraphQLError` with SUBSCRIPTION_LIMIT when
   * its user has `maxConnectionsPerUser` already, with OVERLOADED when no place is free, with STOPPING after disposal, with
   * UNAUTHENTICATED when its token became void after it was verified.
   * Anonymous connections are not counted for anybody: `maxConnections` bounds them.
   */
  open(connection: Connection): OpenConnection | GraphQLError;
  /**
   * Renews the connection with this id on behalf of whoever the authorization proves; answers until when that holds.
   * Another session, or other scopes, of the same user are taken over. Throws a `SautiError`: UNAUTHENTICATED for an
   * authorization that is missing or not good, NOT_FOUND for an id that is unknown or of a connection of somebody else,
   * SUBGRAPH_UNAVAILABLE when tokens cannot be checked. Then the token before goes on until its end.
   */
  renew(connectionId: string, authorization: string | undefined): Promise<Date>;
  readonly size: number;
  /** Of all connections, `maxConnections` in number: those that are open, and those that transports keep for others. */
  readonly places: Places;
  /** Ends all connections with GOING_AWAY and refuses others. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface ConnectionsOptions {
  authenticate: Authenticate | undefined;
  access: AccessWatch;
  limits: Pick<GatewayLimits, 'maxConnections' | 'maxConnectionsPerUser'>;
}

export function createConnections({ authenticate, access, limits }: ConnectionsOptions): Connections {
  const entries = new Map<string, Entry>();
  const holders = new Holders();
  const places = new Places(limits.maxConnections);
  const end = (entry: Entry, reason: EndReason): void => {
    if (!entries.has(entry.id)) return;
    entry.close();
    entry.connection.onEnd(reason);
  };
  const expiry = watchExpiry(entries, (entry) => end(entry, 'TOKEN_EXPIRED'));
  access.onChange((news) => {
    const reason = news.kind === 'ended' ? 'SESSION_ENDED' : 'ACCESS_CHANGED';
    for (const entry of holders.concernedBy(news)) if (access.isVoid(entry.token!)) end(entry, reason);
  });
  let isStopping = false;

  const leave = (entry: Entry): void => {
    if (!entries.delete(entry.id)) return;
    if (!entry.connection.hasPlace) places.giveBack();
    if (entry.token) holders.remove(entry, entry.token);
  };
  return {
    places,
    get size() {
      return entries.size;
    },
    open(connection) {
      if (isStopping) return refusal('STOPPING', 'This gateway is stopping.');
      if (!connection.hasPlace && places.isFull) return refusal('OVERLOADED', TOO_MANY_CONNECTIONS);
      const { token } = connection;
      // Between its verification and now, a body may have been read.
      if (token && access.isVoid(token)) return refusal('UNAUTHENTICATED', voidToken().message);
      const most = limits.maxConnectionsPerUser;
      if (token && holders.countOf(token.viewer.userId) >= most)
        return refusal('SUBSCRIPTION_LIMIT', `At most ${most} connections with streams may be open for one user.`);
      const entry = new Entry(randomUUID(), connection, leave);
      entries.set(entry.id, entry);
      if (!connection.hasPlace) places.take();
      if (!token) return entry;
      holders.add(entry, token);
      expiry.watch(entry);
      return entry;
    },
    async renew(connectionId, authorization) {
      const before = entries.get(connectionId)?.token;
      const token = await authenticate?.(authorization);
      if (token && access.isVoid(token)) throw voidToken();
      if (!token || authorization === undefined)
        throw new SautiError('UNAUTHENTICATED', 'A connection is renewed with a valid access token.');
      const entry = entries.get(connectionId);
      // Whether somebody else has a connection with this id is nobody's business.
      if (entry?.token?.viewer.userId !== token.viewer.userId)
        throw new SautiError('NOT_FOUND', 'You have no open connection with this id.');
      // Another renewal was faster: of both tokens the one that ends later is kept.
      if (entry.token !== before && entry.token.endsAt > token.endsAt) return entry.token.endsAt;
      holders.remove(entry, entry.token);
      holders.add(entry, token);
      entry.token = token;
      entry.isNoticed = false;
      expiry.watch(entry);
      entry.connection.onRenewed(token, authorization);
      return token.endsAt;
    },
    async [Symbol.asyncDispose]() {
      isStopping = true;
      for (const entry of [...entries.values()]) end(entry, 'GOING_AWAY');
      expiry.stop();
    },
  };
}

function refusal(code: string, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code } });
}
