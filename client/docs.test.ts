import { readdirSync } from 'node:fs';
import path from 'node:path';
import { readRepositoryFile, repositoryRoot } from '../platform/root';

const recipes = readdirSync(path.join(repositoryRoot(), 'client/recipes')).map((file) => `client/recipes/${file}`);
const pages = ['client/resume.ts', ...recipes].map((file) => {
  const page = path.basename(file).startsWith('live-') ? 'docs/live.md' : 'docs/clients.md';
  return { file, page };
});

test.each(pages)('what $page gives to paste is what is tested here: $file', ({ file, page }) => {
  expect(readRepositoryFile(page)).toContain(
    `\`\`\`${path.extname(file).slice(1)}\n${readRepositoryFile(file).trim()}\n\`\`\``,
  );
});
