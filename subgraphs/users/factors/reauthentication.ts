import { isId } from '../../../platform/ids';
import { requireViewer, type CallIdentity, type Viewer } from '../../../platform/identity/viewer';
import { UserProblemError } from '../../../platform/errors';
import { verifyPassword } from '../accounts/passwords';
import type { AttemptLimit, Attempts } from '../attempts';
import { recordAudit } from '../audit/audit-log';
import type { UsersProblemCode } from '../errors';
import { problem } from '../input';
import { lockUser, type UserRecords } from '../records';
import type { CodeCheck } from './code-check';
import type { FactorRecords } from './factor-records';

/**
 * Wrong proofs of one session. Counted by session and not by account: whoever stole a session cannot keep its owner from
 * proving themselves on another one.
 */
const PROOF_LIMIT: AttemptLimit = { purpose: 'reauthenticate', attempts: 5, windowMs: 15 * 60_000 };

export interface Proof {
  password?: string | null | undefined;
  code?: string | null | undefined;
}

/** Proves again who is at the device: what `requireFreshProof` asks for. */
export class Reauthentication {
  constructor(
    private readonly parts: {
      records: UserRecords;
      factorRecords: FactorRecords;
      codes: CodeCheck;
      attempts: Attempts;
      clock: () => Date;
    },
  ) {}

  /**
   * Takes the password or a code of an app. Throws INVALID_CREDENTIALS or INVALID_TOKEN for a wrong one, RATE_LIMITED after
   * five within 15 minutes, TOKEN_EXPIRED when the session has ended, and FORBIDDEN for API keys, which nobody is behind.
   */
  async prove(identity: CallIdentity, proof: Proof): Promise<void> {
    const { attempts } = this.parts;
    const viewer = requireViewer(identity.viewer);
    if (!isId('ses', viewer.sessionId)) throw refusal('FORBIDDEN', 'Only a session can be proven, not an API key.');
    if ((proof.password == null) === (proof.code == null))
      throw problem('INVALID_INPUT', 'Give either the password or a code.', 'password');
    await attempts.count(PROOF_LIMIT, viewer.sessionId);
    const holds =
      proof.code == null ? await this.isPassword(viewer, proof.password!) : await this.isCode(viewer, proof.code);
    if (!holds) throw await this.refused(identity, viewer, proof);
    await this.refresh(identity, viewer);
    await attempts.clear(PROOF_LIMIT, viewer.sessionId);
  }

  private async isPassword({ userId }: Viewer, password: string): Promise<boolean> {
    const [user] = await this.parts.records.usersByIds([userId]);
    return verifyPassword(password, user?.passwordHash ?? null);
  }

  private isCode({ userId }: Viewer, code: string): Promise<boolean> {
    const { records, codes, clock } = this.parts;
    return records.transaction(async (tx) => {
      const user = await lockUser(tx, userId);
      return user !== null && (await codes.takeTotp(tx, userId, code, clock()));
    });
  }

  private async refused(identity: CallIdentity, { sessionId }: Viewer, { code }: Proof) {
    const metadata = { step: 'reauthenticate' };
    await this.parts.records.transaction((tx) =>
      recordAudit(tx, identity, { action: 'signIn.failed', subjectId: sessionId, metadata }),
    );
    return code == null
      ? problem('INVALID_CREDENTIALS', 'This is not the password of your account.', 'password')
      : problem('INVALID_TOKEN', 'This code is wrong, used, or too old.', 'code');
  }

  private async refresh(identity: CallIdentity, { userId, sessionId }: Viewer): Promise<void> {
    const now = this.parts.clock();
    await this.parts.records.transaction(async (tx) => {
      const { count } = await tx.session.updateMany({
        where: { id: sessionId, userId, endedAt: null, expiresAt: { gt: now } },
        data: { authenticatedAt: now },
      });
      if (count === 0) throw refusal('TOKEN_EXPIRED', 'Your session has ended. Sign in again.');
      await recordAudit(tx, identity, { action: 'session.reauthenticated', subjectId: sessionId });
    });
  }
}

function refusal(code: UsersProblemCode, message: string): UserProblemError<UsersProblemCode> {
  return new UserProblemError({ code, message });
}
