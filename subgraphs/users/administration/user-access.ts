import { queueMail } from '../../../platform/mail/mail';
import type { Seal } from '../../../platform/seal';
import { SautiError } from '../../../platform/errors';
import type { EventLog } from '../../../platform/events/event-log';
import { isId } from '../../../platform/ids';
import type { CallIdentity } from '../../../platform/identity/viewer';
import { lockOut } from '../accounts/lock-out';
import { recordAudit } from '../audit/audit-log';
import { announceAccess, announceViewer, type AccessChange } from '../events';
import { lockUser, type UserRow, type UsersTransaction } from '../records';
import { accessProblem, checkedAccess, type AccessInput, type AccessWish } from './access-input';
import type { AdministrationRecords } from './administration-records';
import { requireScope } from './require-scope';
import { suspensionMail } from './suspension-mail';
import { statusOf } from './visible-access';

/** Puts an account on a plan, in the caller's transaction; false when there is no such plan. */
export type ChoosePlan = (tx: UsersTransaction, userId: string, planId: string) => Promise<boolean>;

/** What administrators change about what an account may do. */
export class UserAccess {
  constructor(
    private readonly records: AdministrationRecords,
    private readonly events: EventLog,
    private readonly tools: { choosePlan: ChoosePlan; mailSeal: Seal; clock: () => Date },
  ) {}

  /**
   * Changes roles, status and plan, all or none, and answers the account. It reaches every process as access changes: the
   * tokens of a suspended account end, those of other roles have to be renewed. Throws UNAUTHENTICATED and FORBIDDEN;
   * INVALID_INPUT, NOT_FOUND, and INVALID_STATE when nobody could administrate any more, or for an account that is to be
   * deleted.
   */
  async update(identity: CallIdentity, input: AccessInput): Promise<UserRow> {
    const { userId: adminId } = requireScope(identity.viewer, 'admin:users');
    const now = this.tools.clock();
    const wish = checkedAccess(input, now);
    return this.records.transaction(async (tx) => {
      await this.records.lockAccess(tx);
      await this.requireAdministrator(tx, adminId, now);
      const user = isId('usr', input.userId) ? await lockUser(tx, input.userId) : null;
      if (!user) throw accessProblem('NOT_FOUND', 'There is no account with this ID.', 'userId');
      return this.change(tx, identity, user, wish);
    });
  }

  private async change(
    tx: UsersTransaction,
    identity: CallIdentity,
    user: UserRow,
    wish: AccessWish,
  ): Promise<UserRow> {
    const now = this.tools.clock();
    if (wish.status !== null && user.status === 'PENDING_DELETION')
      throw accessProblem('INVALID_STATE', 'Its owner has asked to delete this account.', 'status');
    const changed = await tx.user.update({ where: { id: user.id }, data: columnsOf(wish) });
    await this.requireSomeAdministrator(tx, user, changed);
    if (wish.planId !== null && !(await this.tools.choosePlan(tx, user.id, wish.planId)))
      throw accessProblem('INVALID_INPUT', 'planId is the id of one of `plans`.', 'planId');
    await recordAudit(tx, identity, { action: 'access.changed', subjectId: user.id, metadata: metadataOf(user, wish) });
    if (wish.status === 'SUSPENDED') await queueMail(tx, this.tools.mailSeal, suspensionMail(changed));
    const voided = await this.voidedBy(tx, user, changed);
    await announceViewer(tx, this.events, user.id, 'ACCESS');
    await announceAccess(tx, this.events, voided);
    return { ...changed, status: statusOf(changed, now) };
  }

  /** The token may be older than a change of its account. */
  private async requireAdministrator(tx: UsersTransaction, id: string, now: Date): Promise<void> {
    const admin = await tx.user.findUnique({ where: { id } });
    if (admin?.roles.includes('ADMIN') && statusOf(admin, now) === 'ACTIVE') return;
    throw new SautiError('FORBIDDEN', 'This account is no administrator any more.');
  }

  private async requireSomeAdministrator(tx: UsersTransaction, before: UserRow, after: UserRow): Promise<void> {
    const now = this.tools.clock();
    const loses =
      before.roles.includes('ADMIN') && !(after.roles.includes('ADMIN') && statusOf(after, now) === 'ACTIVE');
    if (!loses || (await this.records.hasOtherAdministrator(tx, before.id, now))) return;
    const field = after.status === 'SUSPENDED' ? 'status' : 'roles';
    throw accessProblem('INVALID_STATE', 'This is the last administrator: make another one first.', field);
  }

  private async voidedBy(tx: UsersTransaction, before: UserRow, after: UserRow): Promise<AccessChange[]> {
    const now = this.tools.clock();
    if (statusOf(after, now) === 'SUSPENDED') return lockOut(tx, after.id, now);
    if (before.roles.join() === after.roles.join()) return [];
    return [{ kind: 'changed', userId: after.id, at: now.toISOString() }];
  }
}

function columnsOf({ roles, status, reason, endsAt }: AccessWish) {
  const suspension =
    status === 'SUSPENDED'
      ? { status, suspensionReason: reason, suspensionEndsAt: endsAt }
      : status === 'ACTIVE'
        ? { status, suspensionReason: null, suspensionEndsAt: null }
        : {};
  return { ...(roles ? { roles } : {}), ...suspension };
}

function metadataOf(before: UserRow, { roles, status, planId, reason, endsAt }: AccessWish) {
  return {
    reason,
    ...(roles && { roles, rolesBefore: before.roles }),
    ...(status && { status, statusBefore: before.status }),
    ...(endsAt && { endsAt: endsAt.toISOString() }),
    ...(planId !== null && { planId }),
  };
}
