import type { VerifiedToken } from '../../platform/identity/access-token';
import { NEWS_HISTORY_MS, type AccessNews } from '../../platform/identity/access-change';

/** Marks kept at most; each is some 150 bytes. So many within eleven minutes are 300 a second. */
const MOST_MARKS = 200_000;

export interface VoidTokensOptions {
  clock: () => Date;
  /** Milliseconds that only ever grow. */
  uptimeMs?: () => number;
  /** Default {@link MOST_MARKS}. */
  mostMarks?: number;
}

interface Mark {
  /** When it happened, in milliseconds since 1970. */
  at: number;
  /** When it was heard of last, by uptime. */
  heardAtMs: number;
}

/**
 * The tokens that are void although their signature and times are right. A mark is kept until no token can be valid that it
 * concerns: eleven minutes, by the clock and by the uptime, so that no jump of the clock brings a token back to life. When
 * there are too many marks the oldest goes, and with it every token that was issued before: their holders renew them, which
 * those with an ended session cannot.
 */
export class VoidTokens {
  private readonly sessions = new Map<string, Mark>();
  private readonly accounts = new Map<string, Mark>();
  /** Everything issued before is void. */
  private floor = -Infinity;
  private readonly uptimeMs: () => number;

  constructor(private readonly options: VoidTokensOptions) {
    this.uptimeMs = options.uptimeMs ?? (() => performance.now());
  }

  get size(): number {
    return this.sessions.size + this.accounts.size;
  }

  has({ viewer, issuedAt }: VerifiedToken): boolean {
    const issued = issuedAt.getTime();
    if (issued < this.floor || this.sessions.has(viewer.sessionId)) return true;
    const changed = this.accounts.get(viewer.userId);
    return changed !== undefined && issued < changed.at;
  }

  hear(news: AccessNews): void {
    if (news.kind === 'ended') this.mark(this.sessions, news.sessionId, Date.parse(news.at));
    if (news.kind === 'changed') this.mark(this.accounts, news.userId, Date.parse(news.at));
    this.forget(this.sessions);
    this.forget(this.accounts);
  }

  private mark(marks: Map<string, Mark>, id: string, at: number): void {
    const before = marks.get(id)?.at ?? -Infinity;
    // Behind the others: a map is in the order in which its keys were put in.
    marks.delete(id);
    marks.set(id, { at: Math.max(at, before), heardAtMs: this.uptimeMs() });
    if (this.size > (this.options.mostMarks ?? MOST_MARKS)) this.dropOldest();
  }

  private forget(marks: Map<string, Mark>): void {
    const [now, uptimeMs] = [this.options.clock().getTime(), this.uptimeMs()];
    for (const [id, { at, heardAtMs }] of marks) {
      if (now - at <= NEWS_HISTORY_MS || uptimeMs - heardAtMs <= NEWS_HISTORY_MS) return;
      marks.delete(id);
    }
  }

  private dropOldest(): void {
    const marks = this.sessions.size > this.accounts.size ? this.sessions : this.accounts;
    const [id, { at }] = marks.entries().next().value!;
    marks.delete(id);
    this.floor = Math.max(this.floor, at);
  }
}
