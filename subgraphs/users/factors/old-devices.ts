import type { Platform } from '../../../platform/platform';
import { USERS_MODELS } from '../records';

/** Longer than anybody may take to set an app up. */
const UNCONFIRMED_KEPT_MS = 24 * 3_600_000;

/** Removes devices whose trust is over, and apps that were never switched on, a day after they were begun. */
export async function removeOldDevices(
  { database }: Pick<Platform, 'database'>,
  now = new Date(),
): Promise<{ trustedDevices: number; unconfirmedFactors: number }> {
  const slice = database.slice(USERS_MODELS);
  const begunBefore = new Date(now.getTime() - UNCONFIRMED_KEPT_MS);
  const [devices, factors] = await Promise.all([
    slice.trustedDevice.deleteMany({ where: { expiresAt: { lte: now } } }),
    slice.mfaFactor.deleteMany({ where: { confirmedAt: null, createdAt: { lt: begunBefore } } }),
  ]);
  return { trustedDevices: devices.count, unconfirmedFactors: factors.count };
}
