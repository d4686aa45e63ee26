import type { Platform } from '../../platform/platform';

/**
 * Tables that a refused call may write to: what counts attempts, and what was tried. Everything else stays as it is.
 */
const MAY_CHANGE = ['users.attempt_count', 'users.audit_event'];

/** A digest of every table of ours: what a caller could have changed. */
export async function stateOf({ database: { prisma } }: Platform): Promise<Record<string, string>> {
  const tables = await prisma.$queryRaw<{ name: string }[]>`
    select format('%I.%I', table_schema, table_name) as name from information_schema.tables
     where table_schema in ('platform', 'users', 'media', 'notification') and table_type = 'BASE TABLE' order by 1`;
  const kept = tables.map(({ name }) => name).filter((name) => !MAY_CHANGE.includes(name));
  const digests = kept.map(
    (name) =>
      `select '${name}' as name, coalesce(md5(string_agg(t::text, E'\\n' order by t::text)), '') as digest from ${name} t`,
  );
  const rows = await prisma.$queryRawUnsafe<{ name: string; digest: string }[]>(digests.join(' union all '));
  return Object.fromEntries(rows.map(({ name, digest }) => [name, digest]));
}
