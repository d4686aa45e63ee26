import { newId } from '../../../platform/ids';
import { checkedEmail, emailKeyOf } from '../accounts/email-address';
import type { NewUser, UserRow } from '../records';
import type { ProvenIdentity } from './identity-provider';

const MAX_NAME_LENGTH = 100;

/** The address that the provider vouches for; null when it told none, or does not say that it is verified. */
export function verifiedEmail({ email, emailVerified }: ProvenIdentity): string | null {
  if (email === null || !emailVerified) return null;
  try {
    return checkedEmail(email);
  } catch {
    return null;
  }
}

/** What an account is made of that begins with an identity. What the provider says besides the address is only a proposal. */
export function newAccountOf(
  proven: ProvenIdentity,
  email: string,
  now: Date,
): NewUser & Pick<UserRow, 'firstName' | 'lastName'> {
  const [firstName, lastName] = [cleanName(proven.givenName), cleanName(proven.familyName)];
  const fullName = [firstName, lastName].filter((part) => part !== null).join(' ');
  return {
    id: newId('usr'),
    email,
    emailKey: emailKeyOf(email),
    emailVerifiedAt: now,
    passwordHash: null,
    displayName: cleanName(proven.name) ?? cleanName(fullName) ?? cleanName(email.split('@')[0]!) ?? 'Sauti',
    firstName,
    lastName,
    locale: localeOf(proven.locale),
    timeZone: timeZoneOf(proven.timeZone),
  };
}

/** The name without what names may not hold, at most 100 characters; null when nothing is left. */
function cleanName(text: string | null): string | null {
  const clean = (text ?? '')
    .slice(0, 1_000)
    .replace(/[\p{Cc}\p{Cs}]/gu, ' ')
    .normalize('NFC');
  return [...clean.trim()].slice(0, MAX_NAME_LENGTH).join('').trim() || null;
}

/** Providers write `en_US`, too. */
function localeOf(text: string | null): string {
  try {
    return Intl.getCanonicalLocales((text ?? '').slice(0, 64).replaceAll('_', '-'))[0] ?? 'en';
  } catch {
    return 'en';
  }
}

function timeZoneOf(text: string | null): string {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text ?? 'UTC' }).resolvedOptions().timeZone;
  } catch {
    return 'UTC';
  }
}
