import { runChaos } from './chaos';
import { RESUMES } from './followed';
import { isFlawless, reportText } from './report';
import { TRANSPORT_NAMES } from './transports/transports';

/** Bounded for CI; `npm run chaos` runs it at length. A failure prints the seed and all that was noticed. */
const BOUNDED = { readers: 30, events: 300, kills: 8, jobs: 6, gateways: 2, seed: 20_261_125 };
const SUBGRAPHS = ['users', 'media', 'notification', 'translation'] as const;

test('whatever is killed by chance, every reader gets every event once and in order', async () => {
  const lines: string[] = [];
  const tell = (line: string): void => void lines.push(line);
  const report = await runChaos({
    ...BOUNDED,
    subgraphs: SUBGRAPHS,
    transports: TRANSPORT_NAMES,
    resumes: RESUMES,
    tell,
  });
  if (!isFlawless(report)) console.error([...lines, reportText(report)].join('\n'));

  expect(report.verdict).toEqual({ lost: 0, repeated: 0, disordered: 0, unknown: 0 });
  expect(report).toMatchObject({ gaps: 0, wrongEvents: 0, silentEnds: 0, failure: null, unexpectedEndings: [] });
  expect(report.deliveries).toBeGreaterThanOrEqual(BOUNDED.readers * BOUNDED.events);
  expect(new Set(report.kills.map(({ kind }) => kind))).toEqual(new Set(['gateway', 'subgraph', 'worker', 'database']));
}, 240_000);
