import path from 'node:path';
import { defineConfig } from 'prisma/config';

// The Prisma CLI wants a "schema engine", a native program that it downloads. Ours comes with npm and works offline.
// `generate` only looks whether the file exists. On Windows a script cannot stand in, so there it is downloaded.
if (process.platform !== 'win32') {
  process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= path.join(__dirname, 'scripts/schema-engine.mjs');
}

export default defineConfig({
  schema: 'prisma/schema',
  migrations: { path: 'prisma/migrations' },
  // Only `prisma migrate` and `prisma db` connect. `npm start` migrates by itself (platform/database/migrate.ts).
  datasource: { url: process.env.DATABASE_URL ?? 'postgresql://postgres@127.0.0.1:5432/sauti' },
});
