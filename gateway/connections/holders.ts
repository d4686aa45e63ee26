import type { AccessNews } from '../../platform/identity/access-change';
import type { VerifiedToken } from '../../platform/identity/access-token';
import type { Entry } from './entry';

/** Finds the connections of a user and those of a session, without a look at all others. */
export class Holders {
  private readonly users = new Map<string, Set<Entry>>();
  private readonly sessions = new Map<string, Set<Entry>>();

  countOf(userId: string): number {
    return this.users.get(userId)?.size ?? 0;
  }

  /** Those that a change may concern. */
  concernedBy(news: AccessNews): Entry[] {
    if (news.kind === 'ended') return [...(this.sessions.get(news.sessionId) ?? [])];
    if (news.kind === 'changed') return [...(this.users.get(news.userId) ?? [])];
    return [];
  }

  add(entry: Entry, { viewer }: VerifiedToken): void {
    put(this.users, viewer.userId, entry);
    put(this.sessions, viewer.sessionId, entry);
  }

  /** With the token that it was added with. */
  remove(entry: Entry, { viewer }: VerifiedToken): void {
    take(this.users, viewer.userId, entry);
    take(this.sessions, viewer.sessionId, entry);
  }
}

function put(holders: Map<string, Set<Entry>>, id: string, entry: Entry): void {
  const entries = holders.get(id);
  if (entries) entries.add(entry);
  else holders.set(id, new Set([entry]));
}

function take(holders: Map<string, Set<Entry>>, id: string, entry: Entry): void {
  const entries = holders.get(id);
  entries?.delete(entry);
  if (entries?.size === 0) holders.delete(id);
}
