import { repositoryRoot } from '../../platform/root';

/** What an answer must not tell of how we are built (ASVS 16.5.1). */
const INWARD: Readonly<Record<string, RegExp>> = {
  'a path of a file': /node_modules|\bdist\/|\/(?:tmp|home|root|usr|opt|app)\/[\w.-]+\/|\.[cm]?[jt]s\b(?!on)/,
  'a line of a stack': /\bat (?:async )?[\w.<>[\] ]*\(?[^\s()]+:\d+:\d+/,
  'the store': /prisma|postgres|bullmq|\bpg_\w+|\bsql\b|\brelation\b|\bP20\d\d\b/i,
  'a statement': /\b(?:select|insert into|update|delete from)\s+[\w".]+\s+(?:from|set|where|values)\b/i,
  'a machine': /ECONN\w+|EADDR\w+|ENOENT|127\.0\.0\.1:\d+|localhost:\d+/,
  'a subgraph':
    /"(?:subgraph|service|serviceName)":|subgraphs?\/\w+|subgraph ['"`]?(?:users|files|media|translation|notification)/i,
  'a version': /x-powered-by|\["server"|\b(?:node|express|apollo|graphql|prisma|undici)(?:\.js)?[/@ ]v?\d+\.\d+/i,
};

/** What of our inside an answer tells: names of what was found, with the text around it. */
export function inwardWords(answer: string, ports: readonly string[]): string[] {
  const all = { ...INWARD, 'this folder': new RegExp(escaped(repositoryRoot())) };
  const words = Object.entries(all).flatMap(([name, pattern]) => {
    const found = pattern.exec(answer);
    return found ? [`${name}: ${answer.slice(Math.max(0, found.index - 30), found.index + 60)}`] : [];
  });
  return [...words, ...ports.filter((port) => new RegExp(`:${port}\\b`).test(answer)).map((port) => `port ${port}`)];
}

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
