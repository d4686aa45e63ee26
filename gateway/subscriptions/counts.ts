/** What happened since the start; the metrics and the tests read it. */
export class SubscriptionCounts {
  /** Subscriptions that clients have open. */
  subscriptions = 0;
  /** Streams that are open at subgraphs. */
  upstreams = 0;
  /** Subscribers that are behind because their client does not read fast enough. */
  waiting = 0;
  /** Events that came from subgraphs, and messages that went to clients. */
  events = 0;
  delivered = 0;
  /** Events a slow client did not get because a newer one replaced them. */
  coalesced = 0;
  /** Subscriptions that began behind a cursor. */
  resumed = 0;
  /** Notices of lost events, of subgraphs and of the gateway. */
  gaps = 0;
  /** Streams that were opened again after they broke. */
  reopened = 0;
  /** Connections closed because their client was too slow. */
  tooSlow = 0;
  /** Subscriptions refused because there were too many. */
  refused = 0;
  /** Subscriptions that went on, and that had to end, when the supergraph changed. */
  moved = 0;
  endedByReload = 0;
}
