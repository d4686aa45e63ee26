import { LANGUAGES, openHall } from '../../../e2e/live-languages/hall';
import { timesFigure, type Figure } from '../../figure';
import { openSautiStage, type SautiStage } from '../../media/sauti-stage';
import { latenciesOf } from '../latencies';
import { Listener } from '../listener';
import type { LiveBench } from '../live-bench';
import { speak, startSession } from '../speaker';

const LISTENERS = 200;
/** A viewer may have 20 sockets with 50 subscriptions each. */
const SOCKETS = 8;
const FINALS = 10;

/**
 * 200 who listen to one session: how often engines are asked in ten languages (with engines that only count), and how late words
 * reach all of them, half with a Spanish translation by the real engine.
 */
export async function measureAudience(bench: LiveBench): Promise<Figure[]> {
  const calls = await countCalls();
  await using stage = await openSautiStage(bench, { concurrency: 1 });
  const { words, finals, equal } = await hearTogether(stage, bench);
  return [
    {
      title: `engine calls for each final, ${LISTENERS} subscribers in ${LANGUAGES.length} languages`,
      goal: `= ${LANGUAGES.length}`,
      value: `${calls / FINALS}`,
      isMet: calls === FINALS * LANGUAGES.length,
    },
    timesFigure(`word → each of ${LISTENERS} subscribers, p50`, words, 0.5, 150),
    timesFigure(`word → each of ${LISTENERS} subscribers, p90`, words, 0.9, 450),
    timesFigure(`end of speech → final at each of ${LISTENERS}, p90`, finals, 0.9, 1_000),
    {
      title: 'subscribers with the same transcript',
      goal: `${LISTENERS}`,
      value: `${equal}`,
      isMet: equal === LISTENERS,
    },
  ];
}

async function countCalls(): Promise<number> {
  await using hall = await openHall('all in one');
  const listeners = await hall.listeners();
  for (let number = 1; number <= FINALS; number++) {
    hall.speaker.say(`This is sentence number ${number}.`, 5, 'FINAL');
    for (const listener of listeners) await listener.has(number);
  }
  return hall.translator.requests.length;
}

async function hearTogether(
  stage: SautiStage,
  { speech }: LiveBench,
): Promise<{ words: number[]; finals: number[]; equal: number }> {
  const session = await startSession(stage);
  const token = await stage.account.token();
  const listeners = Array.from({ length: SOCKETS }, (_, index) => {
    const how = index % 2 === 0 ? 'plain' : 'translated';
    return new Listener(stage.endpoint, token, session.id, how, LISTENERS / SOCKETS);
  });
  const { startedAt, done } = await speak(session, speech.samples);
  await done;
  await Promise.all(listeners.map(({ ended }) => ended));
  const readers = listeners.flatMap(({ readers }) => readers);
  const latencies = readers.map((reader) => latenciesOf(reader.heard, startedAt));
  const texts = readers.map((reader) => JSON.stringify(reader.finals().map(({ segment }) => segment.text)));
  for (const listener of listeners) await listener[Symbol.asyncDispose]();
  return {
    words: latencies.flatMap(({ words }) => words),
    finals: latencies.flatMap(({ finals }) => finals),
    equal: texts.filter((text) => text === texts[0] && text !== '[]').length,
  };
}
