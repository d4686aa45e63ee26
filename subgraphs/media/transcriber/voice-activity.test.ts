import { MAX_UTTERANCE_MS, VoiceActivity, type VoiceEvent } from './voice-activity';

const SAMPLES_PER_MS = 16;

/** A 300 Hz tone at about -14 dB: loud enough to be speech. */
function voice(durationMs: number): Int16Array {
  return Int16Array.from({ length: durationMs * SAMPLES_PER_MS }, (_, n) =>
    Math.round(9_000 * Math.sin((2 * Math.PI * 300 * n) / 16_000)),
  );
}

/** Repeatable noise of an amplitude, so that no test depends on chance. */
function noise(durationMs: number, amplitude: number): Int16Array {
  let state = 1;
  return Int16Array.from({ length: durationMs * SAMPLES_PER_MS }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.round((state / 2 ** 30 - 1) * amplitude);
  });
}

function silence(durationMs: number): Int16Array {
  return new Int16Array(durationMs * SAMPLES_PER_MS);
}

function join(...parts: Int16Array[]): Int16Array {
  const joined = new Int16Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Runs the detector over audio in chunks and returns its utterances with what was given to the recogniser. */
function detect(audio: Int16Array, chunkSamples = 1_600) {
  const detector = new VoiceActivity();
  const events: VoiceEvent[] = [];
  for (let from = 0; from < audio.length; from += chunkSamples) {
    events.push(...detector.push(audio.subarray(from, from + chunkSamples)));
  }
  events.push(...detector.finish());
  const utterances: Array<{ beginMs: number; endMs: number; silentMs: number; audio: Int16Array }> = [];
  for (const event of events) {
    if (event.type === 'begin') {
      utterances.push({ beginMs: event.atSample / SAMPLES_PER_MS, endMs: NaN, silentMs: NaN, audio: silence(0) });
      continue;
    }
    const current = utterances.at(-1)!;
    if (event.type === 'audio') current.audio = join(current.audio, event.samples);
    else Object.assign(current, { endMs: event.atSample / SAMPLES_PER_MS, silentMs: event.silentMs });
  }
  return utterances;
}

test('silence and quiet steady noise hold no utterance', () => {
  expect(detect(silence(30_000))).toEqual([]);
  expect(detect(noise(30_000, 60))).toEqual([]);
});

test('an utterance begins 300 ms before the voice and ends 500 ms after it', () => {
  const [utterance, ...others] = detect(join(silence(1_000), voice(2_000), silence(2_000)));
  expect(others).toEqual([]);
  expect(utterance).toMatchObject({ beginMs: 700, silentMs: 500 });
  // The high-pass rings for a frame or two after the voice.
  expect(utterance!.endMs).toBeGreaterThanOrEqual(3_500);
  expect(utterance!.endMs).toBeLessThanOrEqual(3_530);
});

test('the audio given is exactly the audio between begin and end', () => {
  const audio = join(noise(1_000, 30), voice(1_500), noise(900, 30), voice(700), noise(1_000, 30));
  const utterances = detect(audio);
  expect(utterances).toHaveLength(2);
  for (const { beginMs, endMs, audio: given } of utterances) {
    expect(given).toEqual(audio.slice(beginMs * SAMPLES_PER_MS, endMs * SAMPLES_PER_MS));
  }
});

test('the size of the chunks changes nothing', () => {
  const audio = join(noise(700, 30), voice(1_500), noise(800, 30), voice(25_000), noise(1_000, 30));
  expect(detect(audio, 37)).toEqual(detect(audio, 1_600));
  expect(detect(audio, audio.length)).toEqual(detect(audio, 1_600));
});

test('a click is no utterance', () => {
  expect(detect(join(silence(1_000), voice(50), silence(1_000)))).toEqual([]);
});

test('a pause inside a sentence does not end it', () => {
  expect(detect(join(silence(500), voice(1_000), silence(400), voice(1_000), silence(1_000)))).toHaveLength(1);
});

test('speech without a pause is cut at the limit and goes on without a gap or overlap', () => {
  const utterances = detect(join(silence(500), voice(50_000), silence(1_000)));
  expect(utterances).toHaveLength(3);
  expect(utterances[0]!.endMs - utterances[0]!.beginMs).toBe(MAX_UTTERANCE_MS);
  expect(utterances[1]!.beginMs).toBe(utterances[0]!.endMs);
  expect(utterances[2]!.beginMs).toBe(utterances[1]!.endMs);
  expect(utterances[0]!.silentMs).toBe(0);
});

test('a long utterance ends at a short pause', () => {
  const utterances = detect(join(silence(500), voice(14_000), silence(250), voice(3_000), silence(1_000)));
  expect(utterances).toHaveLength(2);
  expect(utterances[0]!.silentMs).toBe(170);
  expect(utterances[1]!.beginMs).toBe(utterances[0]!.endMs);
});

test('a recording that begins and ends inside speech keeps all of it', () => {
  const audio = voice(1_003);
  const utterances = detect(audio);
  expect(utterances).toHaveLength(1);
  expect(utterances[0]).toMatchObject({ beginMs: 0, endMs: 1_003, silentMs: 0 });
  expect(utterances[0]!.audio).toEqual(audio);
});

test('steady noise becomes background and a voice above it is still found', () => {
  const [utterance, ...others] = detect(join(noise(20_000, 500), mix(voice(2_000), 500), noise(2_000, 500)));
  expect(others).toEqual([]);
  expect(utterance!.beginMs).toBeGreaterThanOrEqual(19_600);
  expect(utterance!.beginMs).toBeLessThanOrEqual(19_710);
});

function mix(speech: Int16Array, amplitude: number): Int16Array {
  const background = noise(speech.length / SAMPLES_PER_MS, amplitude);
  return speech.map((sample, n) => sample + background[n]!);
}
