import type { EnvironmentReader } from '../../../platform/environment';

const DAY_MS = 24 * 3_600_000;

export interface PrivacySettings {
  /** How long the deletion of an account can be called off, in milliseconds. */
  deletionGraceMs: number;
}

export const DEFAULT_PRIVACY_SETTINGS: PrivacySettings = { deletionGraceMs: 14 * DAY_MS };

/** Reads ACCOUNT_DELETION_GRACE_DAYS: 0 to 365 days, default 14. */
export function readPrivacySettings(reader: EnvironmentReader): PrivacySettings {
  const days = reader.wholeNumber('ACCOUNT_DELETION_GRACE_DAYS', 14, { min: 0, max: 365 });
  return { deletionGraceMs: days * DAY_MS };
}
