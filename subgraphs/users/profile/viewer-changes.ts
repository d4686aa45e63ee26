import type { EventLog } from '../../../platform/events/event-log';
import { openStream, type StreamGap, type StreamItem } from '../../../platform/events/stream';
import type { Viewer } from '../../../platform/identity/viewer';
import { viewerTopic, type ViewerChangeReason } from '../events';
import { accountGone } from './account-gone';
import type { ProfileRecords } from './profile-records';

/** That something about an account has changed, or, without a reason, how the stream begins. */
export type ViewerChange = StreamItem<{ userId: string; reason: ViewerChangeReason | null }>;

/** Changes of the viewer's account, made on any device. */
export class ViewerChanges {
  constructor(
    private readonly records: ProfileRecords,
    private readonly events: EventLog,
  ) {}

  /**
   * The account as it is, then each change, until the signal aborts; see {@link openStream} for cursors and gaps. Who it
   * tells of is read when it is shown, so an event never shows an older state. Throws BAD_USER_INPUT, and UNAUTHENTICATED
   * when the account is gone.
   */
  follow(
    viewer: Viewer,
    after: string | null | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<ViewerChange | StreamGap, void, void> {
    const { userId } = viewer;
    const topic = viewerTopic(userId);
    return openStream<{ reason: ViewerChangeReason }, { userId: string; reason: ViewerChangeReason | null }>(
      this.events,
      topic,
      {
        present: async () => {
          // Before the account is read, so that going on from here can repeat a change but never miss one.
          const head = await this.events.head(topic);
          await this.checkExists(userId);
          return { head, items: [{ userId, reason: null }] };
        },
        contentOf: ({ reason }) => ({ userId, reason }),
        isOver: () => false,
        check: () => this.checkExists(userId),
      },
      { after, start: 'present', signal },
    );
  }

  private async checkExists(userId: string): Promise<void> {
    if (!(await this.records.userExists(userId))) accountGone();
  }
}
