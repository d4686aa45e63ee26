import type { EnvironmentReader } from '../../../platform/environment';
import { STEADY_MS } from './steady-answer';

export interface AccountSettings {
  /** Whether an address is proven before its account is let in. */
  requireVerifiedEmail: boolean;
  /** Where the pages are that mails link to; null: at the process's public address. */
  appUrl: string | null;
  /** Whether `/outbox` shows mails that are not sent. */
  outbox: boolean;
  /** Answers that must not tell by their time whether an address has an account take at least this long. */
  steadyMs: number;
}

export const DEFAULT_ACCOUNT_SETTINGS: AccountSettings = {
  requireVerifiedEmail: false,
  appUrl: null,
  outbox: false,
  steadyMs: STEADY_MS,
};

/** Reads REQUIRE_VERIFIED_EMAIL, APP_URL, and whether mails are sent (SMTP_URL), which the first depends on. */
export function readAccountSettings(reader: EnvironmentReader): AccountSettings {
  const sendsMails = reader.text('SMTP_URL') !== null;
  const isVerifiedFirst = reader.oneOf('REQUIRE_VERIFIED_EMAIL', ['true', 'false'], sendsMails ? 'true' : 'false');
  return {
    ...DEFAULT_ACCOUNT_SETTINGS,
    requireVerifiedEmail: isVerifiedFirst === 'true',
    appUrl: reader.url('APP_URL', ['http:', 'https:']),
    outbox: !sendsMails && reader.text('NODE_ENV') !== 'production',
  };
}
