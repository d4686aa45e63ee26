import { wordErrorRate } from '../../../platform/testing/golden-speech';
import type { Bench } from '../bench';
import type { Figure } from '../../figure';
import { encodedAs, golden, type Golden } from '../recordings';
import { openSautiStage, succeeded, type SautiStage } from '../sauti-stage';

/** Formats, how they are made, and the share of words that may be wrong. */
const FORMATS: readonly { ending: string; args?: string[]; goal: number }[] = [
  { ending: 'wav', goal: 0.02 },
  { ending: 'mp3', args: ['-b:a', '64k'], goal: 0.02 },
  { ending: 'm4a', args: ['-b:a', '64k'], goal: 0.02 },
  { ending: 'opus', args: ['-b:a', '24k'], goal: 0.06 },
];
const START_GOAL_MS = 400;

interface Heard {
  transcript: { text: string; segments: { nodes: { startMs: number }[] } };
}

/** Word errors and starts of segments of the golden recording, each format uploaded and transcribed as anybody's. */
export async function measureAccuracy(bench: Bench): Promise<Figure[]> {
  const speech = await golden(bench);
  await using stage = await openSautiStage(bench, { concurrency: 1 });
  const figures: Figure[] = [];
  for (const { ending, args, goal } of FORMATS) {
    const file = ending === 'wav' ? speech.file : await encodedAs(bench, speech.file, ending, args);
    const { transcript } = await transcribed(stage, file);
    const rate = wordErrorRate(speech.utterances.map(({ text }) => text).join(' '), transcript.text);
    figures.push({
      title: `word errors, ${ending}`,
      goal: `≤ ${goal * 100} %`,
      value: `${(rate * 100).toFixed(1)} %`,
      isMet: rate <= goal,
    });
    const offMs = startsOff(speech, transcript.segments.nodes);
    figures.push({
      title: `segment starts, ${ending}, furthest off`,
      goal: `≤ ${START_GOAL_MS} ms`,
      value:
        offMs === null
          ? `${transcript.segments.nodes.length} segments, not ${speech.utterances.length}`
          : `${offMs} ms`,
      isMet: offMs !== null && offMs <= START_GOAL_MS,
    });
  }
  return figures;
}

async function transcribed(stage: SautiStage, file: string): Promise<Heard> {
  const { jobId, transcriptId } = await stage.upload(file, { transcribe: { language: 'en' } });
  await succeeded(stage, jobId!);
  const query = 'query ($id: ID!) { transcript(id: $id) { text segments(first: 100) { nodes { startMs } } } }';
  return stage.account.ask<Heard>(query, { id: transcriptId });
}

/** How far the start furthest off is from that of its utterance; null unless there is a segment for each. */
function startsOff({ utterances }: Golden, segments: readonly { startMs: number }[]): number | null {
  if (segments.length !== utterances.length) return null;
  return Math.max(...segments.map(({ startMs }, index) => Math.abs(startMs - utterances[index]!.startMs)));
}
