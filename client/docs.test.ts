import { readdirSync } from 'node:fs';
import path from 'node:path';
import { readRepositoryFile, repositoryRoot } from '../platform/root';

const recipes = readdirSync(path.join(repositoryRoot(), 'client/recipes')).map((file) => `client/recipes/${file}`);
const pages = ['client/resume.ts', ...recipes].map((file) => {
  const subject = /^(live|auth)-/.exec(path.basename(file))?.[1];
  return { file, page: subject ? `docs/${subject}.md` : 'docs/clients.md' };
});

test.each(pages)('what $page gives to paste is what is tested here: $file', ({ file, page }) => {
  expect(readRepositoryFile(page)).toContain(
    `\`\`\`${path.extname(file).slice(1)}\n${readRepositoryFile(file).trim()}\n\`\`\``,
  );
});
