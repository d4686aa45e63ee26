import type { Database } from '../database/database';

/** Of every table of ours but the named ones: how many rows it has, and a digest of them all. */
export type TableState = Record<string, { rows: number; digest: string }>;

export async function tableState({ prisma }: Pick<Database, 'prisma'>, except: readonly string[]): Promise<TableState> {
  const tables = await prisma.$queryRaw<{ name: string }[]>`
    select format('%I.%I', table_schema, table_name) as name from information_schema.tables
     where table_schema in ('platform', 'users', 'media', 'notification') and table_type = 'BASE TABLE' order by 1`;
  const kept = tables.map(({ name }) => name).filter((name) => !except.includes(name));
  const digests = kept.map(
    (name) =>
      `select '${name}' as name, count(*)::int as rows, coalesce(md5(string_agg(t::text, E'\\n' order by t::text)), '') as digest from ${name} t`,
  );
  const all = await prisma.$queryRawUnsafe<{ name: string; rows: number; digest: string }[]>(
    digests.join(' union all '),
  );
  return Object.fromEntries(all.map(({ name, rows, digest }) => [name, { rows, digest }]));
}

/** The tables that are not the same any more, each with how many rows came to it. */
export function changedTables(before: TableState, after: TableState): Record<string, number> {
  const changed = Object.entries(after).filter(([name, { digest }]) => digest !== before[name]?.digest);
  return Object.fromEntries(changed.map(([name, { rows }]) => [name, rows - (before[name]?.rows ?? 0)]));
}
