import { describeWhenInstalled, programMissing } from '../../platform/testing/installed';
import { FULL, type Backend } from './options';
import { runReliability } from './reliability';
import { isFlawless, reportText, type ReliabilityReport } from './report';

const SEED = 20_261_126;
/** For Redis in CI; `npm run reliability` runs both in full. */
const BOUNDED = { ...FULL, jobs: 150, kills: 25, stops: 2 };
const LIMIT_MS = 400_000;

async function run(backend: Backend, size: typeof FULL): Promise<ReliabilityReport> {
  const lines: string[] = [];
  const report = await runReliability({ ...size, backend, seed: SEED, tell: (line) => void lines.push(line) });
  if (!isFlawless(report)) console.error([...lines, reportText(report)].join('\n'));
  return report;
}

function expectKept(report: ReliabilityReport, { jobs, kills, stops }: typeof FULL): void {
  expect(report.verdict).toEqual({
    lost: 0,
    doubled: 0,
    unknown: 0,
    unsuccessful: 0,
    overtaken: 0,
    torn: 0,
    backwards: 0,
    disordered: 0,
  });
  expect(report).toMatchObject({ acknowledged: jobs, results: jobs, failure: null, unexpectedEndings: [] });
  expect([report.kills.length, report.outages.length]).toEqual([kills, stops]);
  expect(report.redeliveries).toBeGreaterThan(0); // or nothing was put to the test
}

test(
  'on PostgreSQL every acknowledged job has one result, whatever worker is killed and however the database is stopped',
  async () => expectKept(await run('postgres', FULL), FULL),
  LIMIT_MS,
);

describeWhenInstalled(programMissing('redis-server', 'redis-server'), 'on Redis', () => {
  test(
    'every acknowledged job has one result, whatever worker is killed and however the database is stopped',
    async () => expectKept(await run('redis', BOUNDED), BOUNDED),
    LIMIT_MS,
  );
});
