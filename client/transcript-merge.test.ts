import { createRandom, type Random } from '../gateway/differential/random';
import { mergeTranscript, type MergeableSegment } from './transcript-merge';

const ROUNDS = 500;

interface History {
  /** As they happened. */
  events: MergeableSegment[];
  removed: string[];
  /** What is right in the end. */
  transcript: MergeableSegment[];
}

/** What may happen to a few segments: guesses, corrections that move them, noise that is taken back, removal at the end. */
function aHistory(random: Random): History {
  const history: History = { events: [], removed: [], transcript: [] };
  const count = random.below(8);
  for (let index = 0; index < count; index++) {
    const id = `seg_${String(index).padStart(4, '0')}`;
    const revisions = 1 + random.below(6);
    for (let revision = 1; revision <= revisions; revision++) {
      const isNoise = revision === revisions && random.chance(0.2);
      const text = isNoise ? '' : `${id} as of ${revision}`;
      history.events.push({ id, revision, startMs: 1_000 * index + random.below(400), text });
    }
    const last = history.events.at(-1)!;
    if (random.chance(0.15)) history.removed.push(id);
    else if (last.text !== '') history.transcript.push(last);
  }
  return history;
}

/** Some of the events are lost, others come twice, all in any order; the last one of each segment is there. */
function disturbed({ events }: History, random: Random): MergeableSegment[] {
  const isLast = (event: MergeableSegment) => !events.some((e) => e.id === event.id && e.revision > event.revision);
  const kept = events.filter((event) => isLast(event) || random.chance(0.5));
  const all = kept.flatMap((event) => Array<MergeableSegment>(1 + random.below(3)).fill(event));
  for (let index = all.length - 1; index > 0; index--) {
    const other = random.below(index + 1);
    [all[index], all[other]] = [all[other]!, all[index]!];
  }
  return all;
}

test('events in any order, repeated and thinned give the same transcript when the highest revisions are kept', () => {
  for (let seed = 1; seed <= ROUNDS; seed++) {
    const random = createRandom(seed);
    const history = aHistory(random);
    const { events, removed, transcript } = history;
    const found = [mergeTranscript(events, removed), mergeTranscript(disturbed(history, random), removed)];
    expect({ seed, found }).toEqual({ seed, found: [transcript, transcript] });
  }
});

test('segments that begin together have one order, whichever came first', () => {
  const together = ['seg_1', 'seg_2'].map((id) => ({ id, revision: 1, startMs: 0, text: id }));
  expect(mergeTranscript([...together].reverse())).toEqual(mergeTranscript(together));
});
