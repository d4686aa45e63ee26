import type { SautiStage } from '../media/sauti-stage';
import { latenciesOf, type Latencies } from './latencies';
import { Listener } from './listener';
import type { Speech } from './live-bench';
import { speak, startSession } from './speaker';

export interface Round {
  latencies: Latencies;
  /** The final texts in their order. */
  texts: string[];
}

/** Speaks once and listens to it. */
export async function hearOnce(
  stage: SautiStage,
  { samples }: Speech,
  how: 'plain' | 'translated' = 'plain',
): Promise<Round> {
  const session = await startSession(stage);
  await using listener = new Listener(stage.endpoint, await stage.account.token(), session.id, how);
  const { startedAt, done } = await speak(session, samples);
  await done;
  await listener.ended;
  return {
    latencies: latenciesOf(listener.reader.heard, startedAt),
    texts: listener.reader.finals().map(({ segment }) => segment.text),
  };
}
