import type { Platform } from '../platform/platform';

/** Rows as text, by table, e.g. `media.segment`. */
export type Rows = ReadonlyMap<string, readonly string[]>;

/** Every row of the database that holds one of these texts anywhere, ours and the queue's. */
export async function rowsWith({ database: { prisma } }: Platform, texts: readonly string[]): Promise<Rows> {
  const tables = await prisma.$queryRaw<{ name: string }[]>`
    select format('%I.%I', table_schema, table_name) as name from information_schema.tables
     where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema') order by 1`;
  const patterns = texts.map((text) => `%${text}%`);
  const found = new Map<string, string[]>();
  for (const { name } of tables) {
    const rows = await prisma.$queryRawUnsafe<{ row: string }[]>(
      `select t::text as row from ${name} t where t::text like any ($1) order by 1`,
      patterns,
    );
    if (rows.length > 0)
      found.set(
        name.replaceAll('"', ''),
        rows.map(({ row }) => row),
      );
  }
  return found;
}

/** Names of all tables of the slices and of the platform. */
export async function ownTables({ database: { prisma } }: Platform): Promise<string[]> {
  const rows = await prisma.$queryRaw<{ name: string }[]>`
    select table_schema || '.' || table_name as name from information_schema.tables
     where table_type = 'BASE TABLE' and table_schema in ('platform', 'users', 'media', 'notification') order by 1`;
  return rows.map(({ name }) => name);
}
