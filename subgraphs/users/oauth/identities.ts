import { isUniqueViolation } from '../../../platform/database/database';
import { UserProblemError } from '../../../platform/errors';
import type { EventLog } from '../../../platform/events/event-log';
import { isId, newId } from '../../../platform/ids';
import type { CallIdentity, Viewer } from '../../../platform/identity/viewer';
import { emailKeyOf } from '../accounts/email-address';
import type { AccountMails } from '../accounts/account-mails';
import { SignInRefused, type MfaNeeded, type SignInProof, type SignIns } from '../accounts/sign-in';
import { recordAudit } from '../audit/audit-log';
import type { UsersProblemCode } from '../errors';
import { announceViewer } from '../events';
import { accountGone } from '../profile/account-gone';
import type { UserRow, UsersTransaction } from '../records';
import type { SignedIn } from '../sessions/sessions';
import type { IdentityRecords, IdentityRow } from './identity-records';
import type { ProvenIdentity } from './identity-provider';
import { newAccountOf, verifiedEmail } from './new-account';

export interface IdentityParts {
  records: IdentityRecords;
  signIns: SignIns;
  events: EventLog;
  mails: Pick<AccountMails, 'notice'>;
  /** Names of the providers that one can sign in with at present, by id. */
  providers: ReadonlyMap<string, { name: string }>;
  clock: () => Date;
}

/** Accounts of identity providers, and whose they are here. */
export class Identities {
  constructor(private readonly parts: IdentityParts) {}

  /**
   * Lets in whom the identity is linked to; makes an account for an identity nobody has linked. It must have a verified
   * address then, that no account has: who has proven an address elsewhere has not proven that the account is theirs.
   * Throws INVALID_STATE, and what `SignIns.complete` throws.
   */
  async signIn(proven: ProvenIdentity, proof: SignInProof): Promise<SignedIn | MfaNeeded> {
    const attempt = () => this.parts.records.transaction((tx) => this.signInWithin(tx, proven, proof));
    try {
      return await attempt();
    } catch (error) {
      // Another sign-in has linked the identity, or taken the address, since we looked.
      if (isUniqueViolation(error)) return attempt();
      if (error instanceof SignInRefused) await this.noteRefusal(error, proof.identity);
      throw error;
    }
  }

  /**
   * Links the identity to the viewer's account; again is the same. Throws ALREADY_EXISTS when it is linked to another one.
   */
  async link(viewer: Viewer, proven: ProvenIdentity, identity: CallIdentity): Promise<UserRow> {
    const attempt = () => this.parts.records.transaction((tx) => this.linkWithin(tx, viewer, proven, identity));
    try {
      return await attempt();
    } catch (error) {
      if (isUniqueViolation(error)) return attempt();
      throw error;
    }
  }

  /**
   * Takes a link of the viewer's away. Throws NOT_FOUND, and INVALID_STATE when the account could not sign in any more: it has
   * no password, and no other identity of a provider that is in use.
   */
  unlink(viewer: Viewer, id: string, identity: CallIdentity): Promise<UserRow> {
    return this.parts.records.transaction(async (tx) => {
      const user = (await this.parts.records.lockUser(tx, viewer.userId)) ?? accountGone();
      const linked = isId('idn', id) ? user.identities.find((one) => one.id === id) : undefined;
      if (!linked) throw problem('NOT_FOUND', 'You have linked no identity with this ID.', ['id']);
      const others = user.identities.filter((one) => one.id !== id && this.parts.providers.has(one.provider));
      if (user.passwordHash === null && others.length === 0)
        throw problem('INVALID_STATE', 'This is the only way to sign in. Set a password first: changePassword.', [
          'id',
        ]);
      await this.parts.records.remove(tx, id);
      await this.note(tx, 'identity.unlinked', linked, identity);
      await this.tellOwner(tx, user, linked, 'unlinked from');
      return user;
    });
  }

  private async signInWithin(
    tx: UsersTransaction,
    proven: ProvenIdentity,
    proof: SignInProof,
  ): Promise<SignedIn | MfaNeeded> {
    const known = await this.parts.records.find(tx, proven.provider, proven.subject);
    if (!known) return this.parts.signIns.complete(tx, await this.makeAccount(tx, proven, proof.identity), proof);
    const outcome = await this.parts.signIns.complete(tx, known.user, proof);
    // From here on the account is locked: the link may have been taken away before.
    if (!(await this.parts.records.saveEmail(tx, known.id, proven.email))) throw new SignInRefused(known.userId);
    return outcome;
  }

  private async makeAccount(tx: UsersTransaction, proven: ProvenIdentity, identity: CallIdentity): Promise<UserRow> {
    const email = verifiedEmail(proven);
    if (email === null)
      throw problem(
        'INVALID_STATE',
        'The provider vouches for no e-mail address. Sign up with a password, then link it.',
        ['code'],
      );
    if (await this.parts.records.userByEmailKey(tx, emailKeyOf(email)))
      throw problem(
        'INVALID_STATE',
        'An account with this e-mail address exists. Sign in to it, then link: startOAuth with link: true.',
        ['code'],
      );
    const user = await tx.user.create({ data: newAccountOf(proven, email, this.parts.clock()) });
    const actorId = user.id;
    await recordAudit(tx, identity, { action: 'account.created', actorId, subjectId: user.id });
    const linked = await this.insert(tx, user.id, proven);
    await this.note(tx, 'identity.linked', linked, identity);
    return user;
  }

  private async linkWithin(
    tx: UsersTransaction,
    viewer: Viewer,
    proven: ProvenIdentity,
    identity: CallIdentity,
  ): Promise<UserRow> {
    const user = (await this.parts.records.lockUser(tx, viewer.userId)) ?? accountGone();
    const known = await this.parts.records.find(tx, proven.provider, proven.subject);
    if (known && known.userId !== user.id)
      throw problem('ALREADY_EXISTS', 'This identity is linked to another account.', ['code']);
    if (known) return user;
    const linked = await this.insert(tx, user.id, proven);
    await this.note(tx, 'identity.linked', linked, identity);
    await this.tellOwner(tx, user, linked, 'linked to');
    return user;
  }

  /** By mail, and on the other devices. */
  private async tellOwner(
    tx: UsersTransaction,
    user: UserRow,
    { provider }: IdentityRow,
    change: 'linked to' | 'unlinked from',
  ): Promise<void> {
    const name = this.parts.providers.get(provider)?.name ?? provider;
    const subject = `An account of ${name} was ${change} your account`;
    await this.parts.mails.notice(tx, user, { subject, text: WHAT_IT_MEANS[change] });
    await announceViewer(tx, this.parts.events, user.id, 'SECURITY');
  }

  private noteRefusal({ userId }: SignInRefused, identity: CallIdentity): Promise<void> {
    return this.parts.records.transaction((tx) =>
      recordAudit(tx, identity, { action: 'signIn.blocked', actorId: null, subjectId: userId }),
    );
  }

  private insert(tx: UsersTransaction, userId: string, { provider, subject, email }: ProvenIdentity) {
    return this.parts.records.insert(tx, { id: newId('idn'), userId, provider, subject, email });
  }

  private note(
    tx: UsersTransaction,
    action: 'identity.linked' | 'identity.unlinked',
    { userId, id, provider }: IdentityRow,
    identity: CallIdentity,
  ): Promise<void> {
    return recordAudit(tx, identity, {
      action,
      actorId: userId,
      subjectId: userId,
      metadata: { identityId: id, provider },
    });
  }
}

const WHAT_IT_MEANS = {
  'linked to': 'From now on it can be used to sign in to your account.',
  'unlinked from': 'It can not be used to sign in to your account any more.',
} as const;

function problem(code: UsersProblemCode, message: string, path: string[]): UserProblemError<UsersProblemCode> {
  return new UserProblemError({ code, message, path: ['input', ...path] });
}
