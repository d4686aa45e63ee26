import { MAX_UTTERANCE_MS, VoiceActivity, type VoiceEvent, type VoiceState } from './voice-activity';

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

/** Speech, pauses, knocks and noise of many lengths, the same each time. */
function conversation(): Int16Array {
  const parts = [1_203, 40, 700, 310, 655, 2_100, 530, 90, 1_480, 160, 15_007, 180, 900, 21_000].flatMap(
    (ms, index) => [
      noise(ms % 777, 20 + (index % 3) * 40),
      index % 4 === 3 ? mix(voice(ms), 200) : voice(ms),
      silence((index % 5) * 120),
    ],
  );
  return join(...parts, noise(2_003, 30));
}

/** Events whose audio is joined: how it was cut into calls says nothing. */
function joined(events: readonly VoiceEvent[]): VoiceEvent[] {
  const whole: VoiceEvent[] = [];
  for (const event of events) {
    const last = whole.at(-1);
    if (event.type === 'audio' && last?.type === 'audio') last.samples = join(last.samples, event.samples);
    else whole.push({ ...event });
  }
  return whole;
}

test('whoever goes on from a state finds the very same, wherever between two utterances it was taken', () => {
  const audio = conversation();
  const undisturbed = new VoiceActivity();
  const expected = joined([...undisturbed.push(audio), ...undisturbed.finish()]);
  expect(expected.filter(({ type }) => type === 'begin').length).toBeGreaterThanOrEqual(8);
  for (const chunkSamples of [1_600, 733, 331]) {
    const events: VoiceEvent[] = [];
    let detector = new VoiceActivity();
    let given = 0;
    let takenOver = 0;
    while (given < audio.length) {
      events.push(...detector.push(audio.subarray(given, (given += chunkSamples))));
      const { state } = detector;
      if (state === null) continue;
      detector = VoiceActivity.resume(JSON.parse(JSON.stringify(state)) as VoiceState);
      events.push(...detector.push(audio.subarray(state.keptFromSample, given)));
      takenOver++;
    }
    events.push(...detector.finish());
    expect(takenOver).toBeGreaterThan(30);
    expect(joined(events)).toEqual(expected);
  }
});

test('there is no state while an utterance is under way', () => {
  const detector = new VoiceActivity();
  expect(detector.state).toMatchObject({ keptFromSample: 0, position: 0, floorDb: null });
  detector.push(voice(1_000));
  expect(detector.state).toBeNull();
  detector.push(silence(1_000));
  expect(detector.state).toMatchObject({ position: 32_000 });
});

function ends(audio: Int16Array, options?: { pauseMs: number }) {
  const detector = new VoiceActivity(options);
  return [...detector.push(audio), ...detector.finish()].filter((event) => event.type === 'end');
}

test('an end says why', () => {
  const two = join(silence(500), voice(1_000), silence(600), voice(1_000));
  expect(ends(two).map(({ reason }) => reason)).toEqual(['pause', 'end']);
  const long = join(silence(500), voice(14_000), silence(250), voice(21_000), silence(600));
  expect(ends(long).map(({ reason, silentMs }) => [reason, silentMs])).toEqual([
    ['limit', 170],
    ['limit', 0],
    ['pause', 500],
  ]);
});

test('a pause is as long as one is told', () => {
  const audio = join(silence(500), voice(1_000), silence(300), voice(1_000), silence(1_500));
  expect(ends(audio, { pauseMs: 100 }).map(({ silentMs }) => silentMs)).toEqual([100, 100]);
  expect(ends(audio, { pauseMs: 1_000 }).map(({ silentMs }) => silentMs)).toEqual([1_000]);
  expect(ends(audio, { pauseMs: 3_000 }).map(({ reason }) => reason)).toEqual(['end']);
  for (const pauseMs of [99, 3_001, NaN]) expect(() => new VoiceActivity({ pauseMs })).toThrow(RangeError);
});

test('a flush ends the utterance under way, and nothing of what follows is lost or heard twice', () => {
  const audio = join(silence(500), voice(2_005), silence(1_000));
  const detector = new VoiceActivity();
  const heldBack = detector.push(audio.subarray(0, 24_050));
  const flushed = detector.flush();
  expect(flushed).toEqual([{ type: 'end', atSample: 24_000, silentMs: 0, reason: 'flush' }]);
  expect(detector.flush()).toEqual([]);
  const events = joined([...heldBack, ...flushed, ...detector.push(audio.subarray(24_050)), ...detector.finish()]);
  const [, first, , begin, second] = events;
  expect(begin).toEqual({ type: 'begin', atSample: 24_000 });
  if (first?.type !== 'audio' || second?.type !== 'audio') throw new Error('audio was expected');
  const given = join(first.samples, second.samples);
  expect(given).toEqual(audio.slice(200 * SAMPLES_PER_MS, 200 * SAMPLES_PER_MS + given.length));
});
