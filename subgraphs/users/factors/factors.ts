import { isId, newId } from '../../../platform/ids';
import { requireViewer, type CallIdentity } from '../../../platform/identity/viewer';
import type { Seal } from '../../../platform/seal';
import { lockedAccount } from '../accounts/locked-account';
import { checkedLabel, problem } from '../input';
import type { UserRecords, UserRow, UsersTransaction } from '../records';
import type { SecurityTrail } from '../security-trail';
import { requireFreshProof } from '../sessions/fresh-proof';
import type { FactorRecords, FactorRow } from './factor-records';
import { newRecoveryCodes, recoveryCodeHash } from './recovery-codes';
import { newTotpSecret, normalizedTotpCode, stepOfCode, totpUri } from './totp';
import type { TrustedDevices } from './trusted-devices';

/** Apps of one account, as other services allow. */
const MAX_FACTORS = 10;
/** How long an app may take from its QR code to its first code. */
const ENROLMENT_MS = 60 * 60_000;

/** What an account's second factors are changed with. All changes need a proof of the last hour, but forgetting devices. */
export class Factors {
  constructor(
    private readonly parts: {
      records: UserRecords;
      factorRecords: FactorRecords;
      devices: TrustedDevices;
      trail: SecurityTrail;
      seal: Seal;
      clock: () => Date;
    },
  ) {}

  /** Begins to set up an app; what was begun before and not confirmed is dropped. INVALID_STATE when there are ten apps. */
  async enroll(identity: CallIdentity, input: { name: string }) {
    const { factorRecords, seal, clock } = this.parts;
    const name = checkedLabel(input.name, 'name');
    return this.change(identity, async (tx, user) => {
      await factorRecords.deleteUnconfirmed(tx, user.id);
      const factors = await factorRecords.allFactors(tx, user.id);
      if (factors.length >= MAX_FACTORS)
        throw problem('INVALID_STATE', `An account has at most ${MAX_FACTORS} apps. Remove one first.`, 'name');
      const secret = newTotpSecret();
      const factorId = newId('mfa');
      const sealed = seal.seal(secret);
      await factorRecords.insertFactor(tx, { id: factorId, userId: user.id, name, secret: sealed, createdAt: clock() });
      return { factorId, secret, uri: totpUri(secret, user.email) };
    });
  }

  /**
   * Switches the app on, and answers recovery codes when the account has none left. NOT_FOUND for a factor that is not
   * being set up by the viewer, or was begun more than an hour ago; INVALID_TOKEN for a wrong code.
   */
  async confirm(identity: CallIdentity, { factorId, code }: { factorId: string; code: string }) {
    const { factorRecords, seal, clock } = this.parts;
    return this.change(identity, async (tx, user) => {
      const now = clock();
      const factors = await factorRecords.allFactors(tx, user.id);
      const factor = factors.find((candidate) => candidate.id === factorId);
      if (!factor || factor.confirmedAt || now.getTime() - factor.createdAt.getTime() > ENROLMENT_MS)
        throw problem('NOT_FOUND', 'You are not setting up a factor with this ID. Begin with enrollTotp.', 'factorId');
      const step = stepOfCode(seal.unseal(factor.secret), normalizedTotpCode(code), now);
      if (step === null)
        throw problem('INVALID_TOKEN', 'This is not the code that the app shows now. Is its clock right?', 'code');
      await factorRecords.updateFactor(tx, factor.id, { confirmedAt: now, lastStep: step });
      const left = await factorRecords.countUnusedCodes(tx, user.id);
      const recoveryCodes = left > 0 ? null : await this.makeCodes(tx, user);
      await this.parts.trail.leave(tx, identity, user, {
        audit: { action: 'mfa.added', subjectId: factor.id },
        notice: {
          subject: 'A second factor was added',
          text: 'An authenticator app was added to your account.',
        },
      });
      return { recoveryCodes, user };
    });
  }

  /**
   * Removes an app, with the last one also recovery codes and trusted devices; for the ID of the recovery codes, makes new
   * ones. NOT_FOUND for what the viewer does not have.
   */
  async remove(identity: CallIdentity, id: string): Promise<{ user: UserRow; recoveryCodes: string[] | null }> {
    return this.change(identity, async (tx, user) => {
      const factors = await this.parts.factorRecords.allFactors(tx, user.id);
      const confirmed = factors.filter((factor) => factor.confirmedAt);
      if (id === recoveryCodesId(user.id) && confirmed.length > 0) return this.renewCodes(tx, identity, user);
      const factor = isId('mfa', id) && confirmed.find((candidate) => candidate.id === id);
      if (!factor) throw problem('NOT_FOUND', 'You have no second factor with this ID.', 'id');
      await this.removeApp(tx, identity, user, { factor, isLast: confirmed.length === 1 });
      return { user, recoveryCodes: null };
    });
  }

  /** Makes all devices ask for the second factor again. Needs no fresh proof: it opens nothing. */
  async forgetDevices(identity: CallIdentity): Promise<{ user: UserRow }> {
    const { records, devices, trail } = this.parts;
    const { userId } = requireViewer(identity.viewer);
    return records.transaction(async (tx) => {
      const user = await lockedAccount(tx, userId);
      const forgotten = await devices.forgetAll(tx, userId);
      if (forgotten > 0)
        await trail.leave(tx, identity, user, {
          audit: { action: 'mfa.devicesForgotten', subjectId: userId, metadata: { forgotten } },
          notice: {
            subject: 'Trusted devices were forgotten',
            text: 'All devices ask for your second factor again when you sign in.',
          },
        });
      return { user };
    });
  }

  /** As in the graph: the apps that are switched on, then the recovery codes; nothing of secrets. */
  async list(userId: string) {
    const { factors, codes } = await this.parts.factorRecords.factorsOf(userId);
    const apps = factors.map(({ id, name, confirmedAt }) => ({
      id,
      kind: 'TOTP' as const,
      name,
      confirmedAt,
      codesLeft: null,
    }));
    if (apps.length === 0 || codes.length === 0) return apps;
    const codesLeft = codes.filter(({ usedAt }) => usedAt === null).length;
    const confirmedAt = codes[0]!.createdAt;
    const name = 'Recovery codes';
    return [...apps, { id: recoveryCodesId(userId), kind: 'RECOVERY_CODES' as const, name, confirmedAt, codesLeft }];
  }

  private async change<Result>(
    identity: CallIdentity,
    work: (tx: UsersTransaction, user: UserRow) => Promise<Result>,
  ): Promise<Result> {
    const viewer = requireViewer(identity.viewer);
    await requireFreshProof(this.parts.records, viewer, this.parts.clock());
    return this.parts.records.transaction(async (tx) => work(tx, await lockedAccount(tx, viewer.userId)));
  }

  private async removeApp(
    tx: UsersTransaction,
    identity: CallIdentity,
    user: UserRow,
    { factor, isLast }: { factor: FactorRow; isLast: boolean },
  ): Promise<void> {
    const { factorRecords, devices, trail, clock } = this.parts;
    await factorRecords.deleteFactor(tx, factor.id);
    if (isLast) {
      await factorRecords.replaceCodes(tx, user.id, [], clock());
      await devices.forgetAll(tx, user.id);
    }
    const consequence = isLast ? ' Your password alone opens it now.' : '';
    await trail.leave(tx, identity, user, {
      audit: { action: 'mfa.removed', subjectId: factor.id, metadata: { isLast } },
      notice: {
        subject: 'A second factor was removed',
        text: `An authenticator app was removed from your account.${consequence}`,
      },
    });
  }

  private async renewCodes(tx: UsersTransaction, identity: CallIdentity, user: UserRow) {
    const recoveryCodes = await this.makeCodes(tx, user);
    await this.parts.trail.leave(tx, identity, user, {
      audit: { action: 'mfa.recoveryCodesMade', subjectId: user.id },
      notice: {
        subject: 'New recovery codes were made',
        text: 'New recovery codes were made for your account. The old ones do not work any more.',
      },
    });
    return { user, recoveryCodes };
  }

  private async makeCodes(tx: UsersTransaction, user: UserRow): Promise<string[]> {
    const codes = newRecoveryCodes();
    const hashes = codes.map((code) => recoveryCodeHash(code)!);
    await this.parts.factorRecords.replaceCodes(tx, user.id, hashes, this.parts.clock());
    return codes;
  }
}

/** All recovery codes of an account are one factor, which has no row of its own: its ID is made of the account's. */
function recoveryCodesId(userId: string): string {
  return `mfa_${userId.slice('usr_'.length)}`;
}
