import { UserProblemError } from '../../../platform/errors';
import type { CallIdentity } from '../../../platform/identity/viewer';
import { recordAudit } from '../audit/audit-log';
import type { UsersProblemCode } from '../errors';
import type { AccessChange } from '../events';
import { lockUserAndDeletion, type SessionRow, type UserRow, type UsersTransaction } from '../records';
import type { Sessions, SignedIn } from '../sessions/sessions';

/** What was proven, and by whom it is asked. */
export interface SignInProof {
  /** `MFA` says that the second factor was given; it is not asked for again. */
  assurance: SessionRow['assurance'];
  /** What the client calls the device, checked. */
  deviceName: string | null;
  /** From an earlier sign-in with `trustDevice`, or null. */
  deviceToken: string | null;
  identity: CallIdentity;
}

/** As the graph's type MfaChallenge. */
export interface MfaChallenge {
  token: string;
  methods: ('TOTP' | 'RECOVERY_CODES')[];
  expiresAt: Date;
}
export interface MfaNeeded {
  mfa: MfaChallenge;
}

/** What the second factors answer; `factors/` has it. */
export interface SecondFactors {
  /** What the account asks for besides `proof`; null when it has no factor, or the device is one it trusts. */
  challenge(tx: UsersTransaction, user: UserRow, proof: SignInProof): Promise<MfaChallenge | null>;
}

/** Calls off the deletion of an account in its grace period, which is locked (`lockUserAndDeletion`); `privacy/` has it. */
export type CancelDeletion = (tx: UsersTransaction, user: UserRow, identity: CallIdentity) => Promise<UserRow>;

/**
 * Ends the account's sessions, all or all but one, in the caller's transaction; answers what is to be announced as its last
 * statement. `sessions/` has it.
 */
export type EndAllSessions = (
  tx: UsersTransaction,
  userId: string,
  except: string | null,
  identity: CallIdentity,
) => Promise<AccessChange[]>;

/** The second half of every sign-in, whatever the first proof was: password, identity provider, or a second factor. */
export class SignIns {
  constructor(
    private readonly sessions: Sessions,
    private readonly factors: SecondFactors,
    private readonly cancelDeletion: CancelDeletion,
    private readonly clock: () => Date,
  ) {}

  /**
   * Lets an account in whose (first) proof holds: opens a session in the caller's transaction, or answers what is missing.
   * `user` is the row that the proof was checked against; one that was suspended or got another password since then is
   * refused with INVALID_CREDENTIALS. Lifts a suspension that is over; calls off a deletion. After `verifyMfa` call it again
   * with the assurance `MFA`.
   */
  async complete(tx: UsersTransaction, user: UserRow, proof: SignInProof): Promise<SignedIn | MfaNeeded> {
    const now = this.clock();
    const present = await lockUserAndDeletion(tx, user.id);
    if (!present || isSuspended(present, now) || present.passwordHash !== user.passwordHash)
      throw new SignInRefused(user.id);
    if (proof.assurance !== 'MFA') {
      const mfa = await this.factors.challenge(tx, present, proof);
      if (mfa) return { mfa };
    }
    return this.open(tx, await this.admitted(tx, present, proof, now), proof);
  }

  /** The account as it is once its owner is in. */
  private async admitted(tx: UsersTransaction, user: UserRow, { identity }: SignInProof, now: Date): Promise<UserRow> {
    const kept = user.status === 'PENDING_DELETION' ? await this.cancelDeletion(tx, user, identity) : user;
    const lifted = kept.status === 'SUSPENDED' ? LIFTED : {};
    return tx.user.update({ where: { id: user.id }, data: { lastSignInAt: now, ...lifted } });
  }

  private async open(tx: UsersTransaction, user: UserRow, proof: SignInProof): Promise<SignedIn> {
    const { deviceName, assurance, identity } = proof;
    const signedIn = await this.sessions.open(tx, user, { assurance, deviceName, client: identity.client });
    await recordAudit(tx, identity, {
      action: 'session.started',
      actorId: user.id,
      subjectId: signedIn.session.id,
      metadata: { assurance },
    });
    return signedIn;
  }
}

/** The answer to a wrong password, which nobody can tell from an account that may not sign in. */
export class SignInRefused extends UserProblemError<UsersProblemCode> {
  constructor(
    /** For the audit log; null when there is no such account. */
    readonly userId: string | null,
  ) {
    super({ code: 'INVALID_CREDENTIALS', message: 'E-mail address or password is wrong.', path: ['input'] });
  }
}

/** Whether the account is suspended at that time; a suspension may have an end. */
export function isSuspended({ status, suspensionEndsAt }: UserRow, now: Date): boolean {
  return status === 'SUSPENDED' && (suspensionEndsAt === null || suspensionEndsAt > now);
}

const LIFTED = { status: 'ACTIVE', suspensionReason: null, suspensionEndsAt: null } as const;
