import { readRepositoryFile } from '../platform/root';

test('what docs/clients.md gives to paste is what is tested here', () => {
  expect(readRepositoryFile('docs/clients.md')).toContain(
    `\`\`\`ts\n${readRepositoryFile('client/resume.ts').trim()}\n\`\`\``,
  );
});
