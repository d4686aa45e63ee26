import { readdirSync } from 'node:fs';
import path from 'node:path';
import { readRepositoryFile, repositoryRoot } from '../platform/root';

const recipes = readdirSync(path.join(repositoryRoot(), 'client/recipes')).map((file) => `client/recipes/${file}`);

test.each(['client/resume.ts', ...recipes])(
  'what docs/clients.md gives to paste is what is tested here: %s',
  (file) => {
    expect(readRepositoryFile('docs/clients.md')).toContain(
      `\`\`\`${path.extname(file).slice(1)}\n${readRepositoryFile(file).trim()}\n\`\`\``,
    );
  },
);
