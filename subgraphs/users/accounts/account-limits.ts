import type { AttemptLimit } from '../attempts';

const MINUTE_MS = 60_000;

/** Wrong passwords of one address, whether it has an account or not (OWASP ASVS 5.0 §6.3.1). */
export const SIGN_IN_LIMIT: AttemptLimit = { purpose: 'sign-in', attempts: 5, windowMs: 15 * MINUTE_MS };
/** Those from a device that the account trusts: a stranger's attempts do not lock its owner out. */
export const DEVICE_LIMIT: AttemptLimit = { ...SIGN_IN_LIMIT, purpose: 'sign-in-device' };
/** Wrong current passwords of one account in `changePassword`. */
export const CHANGE_LIMIT: AttemptLimit = { ...SIGN_IN_LIMIT, purpose: 'change-password' };
/** Mails of one kind to one address that somebody who is not signed in can cause. */
export const MAIL_LIMIT: AttemptLimit = { purpose: 'mail', attempts: 5, windowMs: 60 * MINUTE_MS };

/** How long links work that verify an address. */
export const VERIFICATION_MS = 24 * 60 * MINUTE_MS;
/** How long links work that set a password. */
export const RESET_MS = 60 * MINUTE_MS;
