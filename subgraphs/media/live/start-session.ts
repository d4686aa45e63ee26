import { balanceOf } from '../../../platform/credits/balance';
import { InsufficientCredits } from '../../../platform/credits/ledger';
import { UserProblemError } from '../../../platform/errors';
import type { EventLog } from '../../../platform/events/event-log';
import { claimIdempotencyKey } from '../../../platform/idempotency';
import { newId } from '../../../platform/ids';
import type { Viewer } from '../../../platform/identity/viewer';
import { withoutNulls } from '../asking/once';
import type { MediaProblemCode } from '../errors';
import { transcriptTopic } from '../events';
import { orThrow, planRecognition, sameCallOptions, type RecognitionPlan } from '../recognition';
import type { MediaTransaction } from '../records';
import type { Transcribers } from '../transcribers';
import { UNDETERMINED } from '../transcripts';
import { liveSessionSnapshot } from './live-session';
import { takePlace } from './places';
import type { LiveSessionRecords } from './session-records';
import { checkedStart, type LiveWishes, type StartLiveSessionInput } from './start-input';

/** Beginning live sessions. */
export class LiveStarts {
  constructor(
    private readonly parts: {
      sessions: LiveSessionRecords;
      transcribers: Transcribers;
      events: EventLog;
      sessionsPerAccount: number;
    },
  ) {}

  /**
   * Makes a session and its transcript; answers the session's id. A repeated call (same idempotency key) is answered with
   * that of the first, whatever would be refused by now. Problems: INVALID_INPUT, UNSUPPORTED, ENGINE_UNAVAILABLE,
   * INSUFFICIENT_CREDITS when the account has none left, ENGINE_BUSY (see {@link takePlace}), INVALID_STATE when the account has as many sessions under way as one may have.
   */
  async start(viewer: Viewer, { idempotencyKey: key, ...input }: StartLiveSessionInput): Promise<string> {
    const { sessions, transcribers, sessionsPerAccount } = this.parts;
    const ownerId = viewer.userId;
    const wishes = checkedStart(input);
    const options = input.options ?? {};
    const plan = await planRecognition(transcribers, options, ['input', 'options'], { streaming: true });
    const same = withoutNulls({ ...wishes, options: sameCallOptions(options) });
    const id = newId('liv');
    return sessions.transaction(async (tx) => {
      const call = { ownerId, operation: 'startLiveSession', key, input: same };
      const earlier = await claimIdempotencyKey(tx, call, id);
      if (earlier !== null) return earlier;
      const wanted = orThrow(plan);
      const { balance } = await balanceOf(tx, ownerId);
      if (balance < 1) throw new InsufficientCredits(1, balance);
      await takePlace(tx, { ownerId, sessionsPerAccount, tooMany: (ids) => tooMany(sessionsPerAccount, ids) });
      await this.insert(tx, { id, ownerId, ...wishes }, wanted);
      return id;
    });
  }

  private async insert(
    tx: MediaTransaction,
    wanted: LiveWishes & { id: string; ownerId: string },
    plan: RecognitionPlan,
  ): Promise<void> {
    const { sessions, events } = this.parts;
    const language = plan.language ?? UNDETERMINED;
    const session = await sessions.insert(tx, { ...wanted, transcriptId: newId('trn') }, { plan, language });
    await sessions.wakeWorkers(tx, session.id);
    const snapshot = liveSessionSnapshot(session);
    await events.append(tx, transcriptTopic(session.transcriptId), { type: 'session.changed', session: snapshot });
  }
}

function tooMany(most: number, ids: readonly string[]): UserProblemError<MediaProblemCode> {
  const message = `An account has at most ${most} live sessions under way. End one of these first: ${ids.join(', ')}.`;
  return new UserProblemError({ code: 'INVALID_STATE', message });
}
