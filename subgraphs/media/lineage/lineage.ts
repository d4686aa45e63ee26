import { createHash } from 'node:crypto';
import type { Prisma } from '../../../platform/database/prisma-client/client';
import type { MediaTransaction } from '../records';

/** Where a result comes from: everything that decides what it is. */
export interface Origin {
  /** Ids of what it was made of, e.g. the file. */
  inputIds: readonly string[];
  engine: string;
  engineVersion: string;
  /** Plain JSON; options that do not change the result stay out. */
  settings: Prisma.InputJsonObject;
}

/** Short hash of an origin, the same whatever the order of the settings' keys: 16 hex digits of SHA-256. */
export function hashOf({ inputIds, engine, engineVersion, settings }: Origin): string {
  const text = JSON.stringify([inputIds, engine, engineVersion, sorted(settings)]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** Notes where a result comes from, in the transaction that makes it visible; a result made anew gets its new origin. */
export async function recordLineage(
  tx: MediaTransaction,
  result: { outputId: string; mediaId: string; kind: string },
  origin: Origin,
): Promise<void> {
  const { outputId, ...about } = result;
  const data = {
    ...about,
    ...origin,
    inputIds: [...origin.inputIds],
    settingsHash: hashOf(origin),
    createdAt: new Date(),
  };
  await tx.lineage.upsert({ where: { outputId }, create: { outputId, ...data }, update: data });
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
