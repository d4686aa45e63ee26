import { queueMail } from '../../../platform/mail/mail';
import type { Seal } from '../../../platform/seal';
import { UserProblemError } from '../../../platform/errors';
import type { EventLog } from '../../../platform/events/event-log';
import { claimIdempotencyKey } from '../../../platform/idempotency';
import { newId } from '../../../platform/ids';
import { requireViewer, type CallIdentity, type Viewer } from '../../../platform/identity/viewer';
import { createJob, putInLine } from '../../../platform/jobs/job';
import { lockOut } from '../accounts/lock-out';
import { verifyPassword } from '../accounts/passwords';
import { isSuspended } from '../accounts/sign-in';
import type { AttemptLimit, Attempts } from '../attempts';
import { recordAudit } from '../audit/audit-log';
import type { UsersProblemCode } from '../errors';
import { announceAccess, announceViewer } from '../events';
import { lockUser, type UserRecords, type UserRow, type UsersTransaction } from '../records';
import { requireFreshProof } from '../sessions/fresh-proof';
import { deletionAskedMail } from './account-mails';
import { deleteAccountJob } from './jobs/delete-account';
import { exportAccountJob } from './jobs/export-account';
import type { AccountJobRow, PrivacyRecords } from './privacy-records';

/** Passwords somebody with a stolen session may try: as at the sign-in. */
const PASSWORDS: AttemptLimit = { purpose: 'delete-account', attempts: 5, windowMs: 15 * 60_000 };

/** What the owner of an account asks for about the whole of it. */
export class AccountRequests {
  constructor(
    private readonly records: PrivacyRecords,
    private readonly users: UserRecords,
    private readonly events: EventLog,
    private readonly tools: {
      attempts: Attempts;
      mailSeal: Seal;
      clock: () => Date;
      /** How long a deletion can be called off, in milliseconds. */
      graceMs: number;
    },
  ) {}

  /**
   * Begins to pack everything of the viewer's account, or answers the job that is at it. Throws UNAUTHENTICATED, and
   * IDEMPOTENCY_MISMATCH or INVALID_INPUT for the key.
   */
  async exportAccount(identity: CallIdentity, key: string | null | undefined): Promise<AccountJobRow> {
    const { userId: ownerId } = requireViewer(identity.viewer);
    return this.records.transaction(async (tx) => {
      await this.lockOwner(tx, ownerId);
      const underWay = await this.records.jobUnderWay(tx, ownerId, 'EXPORT_ACCOUNT');
      const id = underWay?.id ?? newId('job');
      const earlierId = await claimIdempotencyKey(tx, { ownerId, operation: 'exportAccount', key, input: {} }, id);
      if (earlierId) return tx.job.findUniqueOrThrow({ where: { id: earlierId, ownerId } });
      if (underWay) return underWay;
      await recordAudit(tx, identity, { action: 'account.exported', subjectId: ownerId });
      return createJob(tx, this.events, exportAccountJob, { id, ownerId, subjectId: ownerId, payload: {} });
    });
  }

  /**
   * Shuts the viewer's account and deletes it after the grace period, unless its owner signs in before. All sessions and
   * keys end at once. Throws UNAUTHENTICATED; INVALID_CREDENTIALS or RATE_LIMITED for a password, and
   * REAUTHENTICATION_REQUIRED without one; INVALID_STATE for a suspended account; the key's problems as `exportAccount`.
   */
  async deleteAccount(
    identity: CallIdentity,
    {
      password,
      idempotencyKey: key,
    }: { password?: string | null | undefined; idempotencyKey?: string | null | undefined },
  ): Promise<AccountJobRow> {
    const viewer = requireViewer(identity.viewer);
    const ownerId = viewer.userId;
    await this.proveOwner(viewer, password);
    return this.records.transaction(async (tx) => {
      const user = await this.lockOwner(tx, ownerId);
      const id = user.deletionJobId ?? newId('job');
      const earlierId = await claimIdempotencyKey(tx, { ownerId, operation: 'deleteAccount', key, input: {} }, id);
      if (earlierId ?? user.deletionJobId)
        return tx.job.findUniqueOrThrow({ where: { id: earlierId ?? user.deletionJobId!, ownerId } });
      // Its token has not been refused everywhere yet. Calling the deletion off would lift the suspension.
      if (isSuspended(user, this.tools.clock())) throw suspended();
      return this.shut(tx, identity, user, id);
    });
  }

  private async shut(tx: UsersTransaction, identity: CallIdentity, user: UserRow, id: string): Promise<AccountJobRow> {
    const { clock, graceMs, mailSeal } = this.tools;
    const now = clock();
    const deletesAt = new Date(now.getTime() + graceMs);
    await tx.user.update({
      where: { id: user.id },
      data: { status: 'PENDING_DELETION', deletesAt, deletionJobId: id },
    });
    const voided = await lockOut(tx, user.id, now);
    await recordAudit(tx, identity, { action: 'account.deletionAsked', subjectId: user.id });
    await queueMail(tx, mailSeal, deletionAskedMail(user, deletesAt));
    const payload = { userId: user.id, runsAfter: deletesAt.toISOString() };
    const job = await createJob(tx, this.events, deleteAccountJob, {
      id,
      ownerId: user.id,
      subjectId: user.id,
      payload,
    });
    await putInLine(tx, job, graceMs);
    await announceViewer(tx, this.events, user.id, 'ACCESS');
    await announceAccess(tx, this.events, voided);
    return job;
  }

  private async proveOwner(viewer: Viewer, password: string | null | undefined): Promise<void> {
    if (password == null) return requireFreshProof(this.users, viewer, this.tools.clock());
    await this.tools.attempts.count(PASSWORDS, viewer.userId);
    const [user] = await this.users.usersByIds([viewer.userId]);
    if (await verifyPassword(password, user?.passwordHash ?? null))
      return this.tools.attempts.clear(PASSWORDS, viewer.userId);
    throw new UserProblemError<UsersProblemCode>({
      code: 'INVALID_CREDENTIALS',
      message: 'The password is wrong.',
      path: ['input', 'password'],
    });
  }

  private async lockOwner(tx: UsersTransaction, ownerId: string): Promise<UserRow> {
    const user = await lockUser(tx, ownerId);
    if (user) return user;
    throw new UserProblemError<UsersProblemCode>({ code: 'NOT_FOUND', message: 'The account is gone.' });
  }
}

function suspended(): UserProblemError<UsersProblemCode> {
  return new UserProblemError({ code: 'INVALID_STATE', message: 'The account is suspended.' });
}
