/** A sound between two silences, taken for a word. */
export interface HeardSound {
  text: string;
  startMs: number;
  endMs: number;
}

const FRAME = 160;
const LOUD = 2_000;

/**
 * Takes each sound for a word that says how high and how long it is, so a sample that was lost or came twice gives another
 * word. The tones of the recognition's tests are `n0`, `n1`… when they are whole (200 ms).
 */
export function hearSounds(pcm: Int16Array): HeardSound[] {
  const sounds: HeardSound[] = [];
  let began = -1;
  for (let frame = 0; frame * FRAME <= pcm.length; frame++) {
    const isLoud = pcm.subarray(frame * FRAME, (frame + 1) * FRAME).some((sample) => Math.abs(sample) > LOUD);
    if (isLoud && began < 0) began = frame;
    if (isLoud || began < 0) continue;
    const text = nameOf(pcm.subarray(began * FRAME, frame * FRAME));
    sounds.push({ text, startMs: began * 10, endMs: frame * 10 });
    began = -1;
  }
  return sounds;
}

/** Whether nothing is under way at the end. */
export function endsInSilence(pcm: Int16Array): boolean {
  return pcm.subarray(-FRAME).every((sample) => Math.abs(sample) <= LOUD);
}

function nameOf(sound: Int16Array): string {
  const crossings = sound.filter((sample, at) => at > 0 && sound[at - 1]! < 0 !== sample < 0).length;
  const ms = sound.length / 16;
  const number = Math.round((crossings / 2 / (ms / 1_000) - 400) / 40);
  return ms === 200 ? `n${number}` : `n${number}x${ms}`;
}
