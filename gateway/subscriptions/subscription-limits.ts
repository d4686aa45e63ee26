import { GraphQLError } from 'graphql';
import type { Asker } from '../operations/operations';
import type { GatewayLimits } from '../options';
import type { SubscriptionCounts } from './counts';

export type SubscriptionLimits = Pick<GatewayLimits, 'maxSubscriptions' | 'maxSubscriptionsPerUser'>;

/** How many subscriptions there may be, together and of one user. */
export class OpenSubscriptions {
  private readonly perUser = new Map<string, number>();

  constructor(
    private readonly limits: SubscriptionLimits,
    private readonly counts: SubscriptionCounts,
  ) {}

  /** Counts one more, or answers with SUBSCRIPTION_LIMIT. */
  enter({ identity: { viewer } }: Asker): GraphQLError | undefined {
    const { maxSubscriptions, maxSubscriptionsPerUser } = this.limits;
    const own = viewer ? (this.perUser.get(viewer.userId) ?? 0) : 0;
    if (this.counts.subscriptions >= maxSubscriptions)
      return this.refuse('Too many subscriptions are open here. Try again later.');
    if (own >= maxSubscriptionsPerUser)
      return this.refuse(`You may have at most ${maxSubscriptionsPerUser} subscriptions open. Complete others first.`);
    if (viewer) this.perUser.set(viewer.userId, own + 1);
    this.counts.subscriptions++;
    return undefined;
  }

  leave({ identity: { viewer } }: Asker): void {
    this.counts.subscriptions--;
    if (!viewer) return;
    const left = (this.perUser.get(viewer.userId) ?? 1) - 1;
    if (left > 0) this.perUser.set(viewer.userId, left);
    else this.perUser.delete(viewer.userId);
  }

  private refuse(message: string): GraphQLError {
    this.counts.refused++;
    return new GraphQLError(message, { extensions: { code: 'SUBSCRIPTION_LIMIT' } });
  }
}
