import { Child } from '../gateway/children';
import type { AudienceSpec, EventFigures, LoadReply, LoadRequest, Tally } from './load-messages';

/** The load generator as the benchmark sees it. Every method rejects when it fails or ends. */
export class Load implements Disposable {
  private readonly child = new Child<LoadRequest, LoadReply>('subscriptions/load.ts');

  get pid(): number {
    return this.child.pid;
  }

  /** Connects an audience and sends its subscriptions; whether they are there only a line tells. */
  async open(audience: string, spec: AudienceSpec): Promise<void> {
    await this.ask({ kind: 'open', audience, spec });
  }

  /** Whether every subscriber has had a line, in time. */
  async hasStarted(audience: string, limitMs: number): Promise<boolean> {
    return (await this.ask({ kind: 'started', audience, limitMs })).isSo;
  }

  /** Whether every subscriber has had this line, in time. */
  async hasReached(audience: string, seq: number, limitMs: number): Promise<boolean> {
    return (await this.ask({ kind: 'reached', audience, seq, limitMs })).isSo;
  }

  /** Whether the server has closed every connection, in time. */
  async isClosed(audience: string, limitMs: number): Promise<boolean> {
    return (await this.ask({ kind: 'closed', audience, limitMs })).isSo;
  }

  async tell(audience: string, kind: 'resubscribe' | 'stall' | 'readAgain' | 'close'): Promise<void> {
    await this.ask({ kind, audience });
  }

  async figures(audience: string, from: number, to: number): Promise<EventFigures[]> {
    return (await this.ask({ kind: 'figures', audience, from, to })).figures ?? [];
  }

  async tally(audience: string, finalSeq: number): Promise<Tally> {
    const { tally } = await this.ask({ kind: 'tally', audience, finalSeq });
    if (!tally) throw new Error('the load generator did not count');
    return tally;
  }

  [Symbol.dispose](): void {
    this.child[Symbol.dispose]();
  }

  private async ask(request: LoadRequest): Promise<Extract<LoadReply, { kind: 'done' }>> {
    const reply = await this.child.ask(request);
    if (reply.kind === 'failed') throw new Error(reply.reason);
    return reply;
  }
}
