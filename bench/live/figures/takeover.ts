import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { repositoryRoot } from '../../../platform/root';
import { waitFor } from '../../../platform/testing/wait';
import { timesFigure, type Figure } from '../../figure';
import { startProgram } from '../../media/program';
import { openSautiStage, type SautiStage } from '../../media/sauti-stage';
import { Listener } from '../listener';
import type { LiveBench } from '../live-bench';
import { hearOnce } from '../round';
import { speak, startSession } from '../speaker';

const ROUNDS = 6;
const GOAL_MS = 5_000;
/** The worker that was killed in the round before is started again within this time. */
const TAKEN_LIMIT_MS = 30_000;

/**
 * From `kill -9` of the worker that recognizes a session, in the middle of speech, to the next words that a subscriber is shown and
 * that another worker has written; and whether the transcript is the one of an undisturbed session.
 */
export async function measureTakeovers(bench: LiveBench): Promise<Figure[]> {
  await using stage = await openSautiStage(bench, { concurrency: 1 });
  const { texts: wanted } = await hearOnce(stage, bench.speech);
  const ms: number[] = [];
  let equal = 0;
  for (let round = 0; round < ROUNDS; round++) {
    // Another moment each time; speech is under way in all of them.
    const result = await killOnce(stage, bench, 6_000 + round * 1_700);
    ms.push(result.ms);
    if (JSON.stringify(result.texts) === JSON.stringify(wanted)) equal++;
    bench.tell(`  round ${round + 1}: ${result.ms.toFixed(0)} ms`);
  }
  return [
    timesFigure('kill -9 of the worker → next words, p50', ms, 0.5, GOAL_MS),
    timesFigure('kill -9 of the worker → next words, longest', ms, 1, GOAL_MS),
    {
      title: 'transcripts equal to the undisturbed one',
      goal: `${ROUNDS} of ${ROUNDS}`,
      value: `${equal} of ${ROUNDS}`,
      isMet: equal === ROUNDS,
    },
  ];
}

async function killOnce(stage: SautiStage, bench: LiveBench, atMs: number): Promise<{ ms: number; texts: string[] }> {
  const session = await startSession(stage);
  // While there is no other one, it is the worker of `npm start` that takes it.
  const victim = await waitFor('a worker to take the session', () => workerOf(stage, session.id), TAKEN_LIMIT_MS);
  await using heir = await startProgram({
    args: [path.join(repositoryRoot(), 'dist/worker/main.js')],
    env: stage.env,
    isUp: (printed) => printed.includes('runs up to'),
  });
  void heir;
  await using listener = new Listener(stage.endpoint, await stage.account.token(), session.id);
  const { startedAt, done } = await speak(session, bench.speech.samples);
  await sleep(startedAt + atMs - performance.now());
  const killedAt = performance.now();
  process.kill(victim, 'SIGKILL');
  const deadMs = Date.now(); // the database has the same clock
  const next = await waitFor(
    'the next words',
    () => listener.reader.heard.find(({ writtenMs, segment }) => writtenMs > deadMs && segment.words.length > 0),
    30_000,
  );
  await done;
  await listener.ended;
  return { ms: next.atMs - killedAt, texts: listener.reader.finals().map(({ segment }) => segment.text) };
}

/** The process that has the session, once one has: a worker's id is `host:pid:chance`. */
async function workerOf({ store }: SautiStage, sessionId: string): Promise<number | null> {
  const query = 'select worker_id as worker from media.live_session where id = $1';
  const [row] = await store.query<{ worker: string | null }>(query, [sessionId]);
  return row?.worker ? Number(row.worker.split(':').at(-2)) : null;
}
