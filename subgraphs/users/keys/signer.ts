import type { SigningKeyRow } from '../records';

/**
 * Which of the keys signs: of those that are active the newest one that nobody has retired; until there is one, the newest of
 * those whose retirement is still to come.
 */
export function signerAmong(keys: readonly SigningKeyRow[], now: Date): SigningKeyRow | undefined {
  const active = keys
    .filter((key) => key.activeAt <= now && isPublished(key, now))
    .sort((one, other) => other.activeAt.getTime() - one.activeAt.getTime());
  return active.find(({ retiredAt }) => retiredAt === null) ?? active[0];
}

export function isPublished({ retiredAt }: SigningKeyRow, now: Date): boolean {
  return retiredAt === null || retiredAt > now;
}
