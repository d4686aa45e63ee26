import { isUniqueViolation } from '../../../platform/database/database';
import { UserProblemError } from '../../../platform/errors';
import { newId } from '../../../platform/ids';
import type { UsersProblemCode } from '../errors';
import { hashPassword, MAX_PASSWORD_LENGTH, passwordWeakness, verifyPassword } from './passwords';
import { checkedLocale, checkedName, checkedTimeZone, isStorable } from '../profile/profile-checks';
import type { UserRecords } from '../records';
import type { Sessions, SignedIn } from '../sessions/sessions';

const MAX_EMAIL_LENGTH = 254; // RFC 5321 §4.5.3.1.3, without the angle brackets

export interface SignUp {
  email: string;
  password: string;
  displayName: string;
  locale: string;
  timeZone: string;
  deviceName?: string | null | undefined;
}

/** Accounts: who may exist, who may enter. */
export class Accounts {
  constructor(
    private readonly records: UserRecords,
    private readonly sessions: Sessions,
  ) {}

  async signUp(input: SignUp): Promise<SignedIn> {
    const email = checkedEmail(input.email);
    const displayName = checkedName(input.displayName, 'displayName');
    const locale = checkedLocale(input.locale);
    const timeZone = checkedTimeZone(input.timeZone);
    const deviceName = checkedDeviceName(input.deviceName);
    const weakness = passwordWeakness(input.password, [email, email.split('@')[0]!, displayName]);
    if (weakness) throw problem('WEAK_PASSWORD', weakness, 'password');
    const passwordHash = await hashPassword(input.password);
    try {
      return await this.records.transaction(async (tx) => {
        const user = await this.records.insertUser(tx, {
          id: newId('usr'),
          email,
          emailKey: emailKey(email),
          passwordHash,
          displayName,
          locale,
          timeZone,
        });
        return this.sessions.open(tx, user, { assurance: 'PASSWORD', deviceName, client: undefined });
      });
    } catch (error) {
      if (isUniqueViolation(error))
        throw problem(
          'ALREADY_EXISTS',
          'An account with this e-mail address exists already. Sign in instead.',
          'email',
        );
      throw error;
    }
  }

  async signIn(input: { email: string; password: string; deviceName?: string | null | undefined }): Promise<SignedIn> {
    const deviceName = checkedDeviceName(input.deviceName);
    const user =
      input.email.length <= MAX_EMAIL_LENGTH && isStorable(input.email)
        ? await this.records.userByEmailKey(emailKey(input.email))
        : null;
    const matches =
      [...input.password].length <= MAX_PASSWORD_LENGTH &&
      (await verifyPassword(input.password, user?.passwordHash ?? null));
    if (!user || !matches) {
      throw new UserProblemError<UsersProblemCode>({
        code: 'INVALID_CREDENTIALS',
        message: 'E-mail address or password is wrong.',
        path: ['input'],
      });
    }
    return this.records.transaction((tx) =>
      this.sessions.open(tx, user, { assurance: 'PASSWORD', deviceName, client: undefined }),
    );
  }
}

function checkedEmail(text: string): string {
  const email = text.trim();
  const [local, domain, ...rest] = email.split('@');
  const wellFormed =
    email.length <= MAX_EMAIL_LENGTH && local && domain && rest.length === 0 && isStorable(email) && !/\s/.test(email);
  if (!wellFormed || !/^[^.].*\.[^.]+$/.test(domain))
    throw problem('INVALID_INPUT', 'This is not an e-mail address.', 'email');
  return email;
}

/** Addresses are compared without case and composition, so one mailbox cannot hold two accounts by accident. */
function emailKey(email: string): string {
  return email.trim().normalize('NFC').toLowerCase();
}

function checkedDeviceName(text: string | null | undefined): string | null {
  return text == null ? null : checkedName(text, 'deviceName');
}

function problem(code: UsersProblemCode, message: string, field: string): UserProblemError<UsersProblemCode> {
  return new UserProblemError({ code, message, path: ['input', field] });
}
