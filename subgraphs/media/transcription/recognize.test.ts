import { waitFor } from '../../../platform/testing/wait';
import { TranscriberFailedError } from '../transcriber/transcriber';
import { cutPieces, type Piece } from './pieces';
import { recognizePieces, type HeardPiece, type RecognizeOptions } from './recognize';
import { soundOf, toneEngine, tonesFor, type Tone, type ToneEngine } from './testing';

const RULE = { idealMs: 4_000, maxMs: 8_000, parallel: 3 };
const never = new AbortController().signal;

async function* soundFrom(tones: readonly Tone[], durationMs: number, chunkMs = 250) {
  for (let at = 0; at < durationMs; at += chunkMs) yield [soundOf(tones, at, Math.min(at + chunkMs, durationMs))];
}
const recognize = (engine: ToneEngine, pieces: AsyncIterable<Piece>, options: Partial<RecognizeOptions> = {}) =>
  recognizePieces(pieces, { engine, call: {}, parallel: 3, signal: never, ...options });
async function all<Item>(source: AsyncIterable<Item>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of source) items.push(item);
  return items;
}
const heardIn = (pieces: HeardPiece[]): [string, number][] =>
  pieces.flatMap(({ segments }) => segments.map(({ text, startMs }): [string, number] => [text, startMs]));
const saidIn = (tones: readonly Tone[]): [string, number][] =>
  tones.map(({ number, startMs }) => [`n${number}`, startMs]);

describe('cutting', () => {
  test('pieces follow each other without a gap, end in pauses, and hold every sample once', async () => {
    const tones = tonesFor(60_000);
    const pieces = await all(cutPieces(soundFrom(tones, 60_000), { startMs: 5_000, rule: RULE }));
    expect(pieces.length).toBeGreaterThan(8);
    pieces.forEach(({ startMs, endMs, channels }, at) => {
      expect(startMs).toBe(at === 0 ? 5_000 : pieces[at - 1]!.endMs);
      expect(channels[0]).toHaveLength((endMs - startMs) * 16);
      if (at < pieces.length - 1) expect(endMs - startMs).toBeGreaterThan(3_700);
      expect(endMs - startMs).toBeLessThanOrEqual(8_000);
      const place = endMs - 5_000;
      expect(tones.every((tone) => place < tone.startMs - 50 || place > tone.startMs + 250)).toBe(true);
    });
    const joined = Buffer.concat(pieces.map(({ channels: [mono] }) => Buffer.from(mono!.buffer)));
    expect(joined.equals(Buffer.from(soundOf(tones, 0, 60_000).buffer))).toBe(true);
  });

  test('where nobody pauses the cut is made in the quietest moment before the limit', async () => {
    const tones = Array.from({ length: 100 }, (_, at) => ({ number: 1, startMs: at * 200 + (at >= 30 ? 110 : 0) }));
    const [first] = await all(cutPieces(soundFrom(tones, 20_000), { startMs: 0, rule: RULE }));
    expect(first!.endMs).toBeGreaterThanOrEqual(6_000);
    expect(first!.endMs).toBeLessThanOrEqual(6_110);
  });

  test('channels are cut together, where all of them are silent', async () => {
    async function* sound() {
      const one = tonesFor(20_000);
      const other = [
        { number: 9, startMs: 4_200 },
        { number: 9, startMs: 4_450 },
        { number: 9, startMs: 4_700 },
      ];
      for (let at = 0; at < 20_000; at += 500) yield [one, other].map((tones) => soundOf(tones, at, at + 500));
    }
    const pieces = await all(cutPieces(sound(), { startMs: 0, rule: RULE }));
    expect(pieces.every(({ channels: [one, other] }) => one!.length === other!.length)).toBe(true);
    expect(pieces[0]!.endMs).toBeGreaterThan(4_900);
  });
});

describe('recognizing', () => {
  test.each([
    ['an engine of this machine that streams', { streaming: true, local: true }, [100, 100, 100, 100]],
    ['a service, which takes it as fast as the network does', { streaming: true, local: false }, [400]],
    ['one that does not stream', { streaming: false, local: true }, [400]],
  ])('%s: what it has taken of a piece counts as heard accordingly', async (_which, info, expected) => {
    const told: number[] = [];
    const piece = { startMs: 0, endMs: 400, channels: [soundOf([], 0, 400)], spokenMs: 0 };
    async function* pieces() {
      yield piece;
    }
    await all(recognize(toneEngine(null, info), pieces(), { onHeard: (ms) => told.push(ms) }));
    expect(told).toEqual(expected);
  });

  test('no word is lost, doubled or out of its place at a cut, in whatever order the calls end', async () => {
    const tones = tonesFor(90_000);
    const engine = toneEngine(RULE);
    let gate = Promise.resolve();
    engine.before = async (_options, call) => {
      // Every third call waits for the one that begins after it.
      if (call % 3 !== 1) return;
      await Promise.race([
        gate,
        waitFor('a later call', () => engine.calls.length > call, 1_000).catch(() => undefined),
      ]);
      gate = Promise.resolve();
    };
    const heard = await all(recognize(engine, cutPieces(soundFrom(tones, 90_000), { startMs: 0, rule: RULE })));
    expect(heardIn(heard)).toEqual(saidIn(tones));
    expect(engine.mostRunning).toBeGreaterThan(1);
    expect(engine.mostRunning).toBeLessThanOrEqual(3);
    expect(heard.at(-1)!.endMs).toBe(90_000);
  });

  test('ten hours of sound pass with at most one piece more in memory than are recognized at once', async () => {
    const minute = soundOf(tonesFor(60_000), 0, 60_000);
    const engine = toneEngine(RULE);
    let [made, most] = [0, 0];
    async function* pieces(): AsyncGenerator<Piece, void, undefined> {
      for (let at = 0; at < 600; at++) {
        most = Math.max(most, ++made - (engine.calls.length - engine.running));
        yield { startMs: at * 60_000, endMs: (at + 1) * 60_000, channels: [minute.subarray(0, 1_600)], spokenMs: 0 };
      }
    }
    let heard = 0;
    for await (const piece of recognize(engine, pieces())) heard = piece.endMs;
    expect(heard).toBe(36_000_000);
    expect(most).toBeLessThanOrEqual(RULE.parallel + 1);
    expect(engine.mostRunning).toBe(RULE.parallel);
  });

  test('a reader that is slow holds the calls back', async () => {
    let made = 0;
    async function* pieces(): AsyncGenerator<Piece, void, undefined> {
      for (;;) yield { startMs: made * 100, endMs: ++made * 100, channels: [new Int16Array(1_600)], spokenMs: 0 };
    }
    const engine = toneEngine(RULE);
    const stream = recognize(engine, pieces());
    await stream.next();
    await waitFor('calls to be at rest', () => engine.running === 0 && made >= 3);
    const before = made;
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
    expect(made).toBe(before);
    expect(made).toBeLessThanOrEqual(11);
    await stream.return();
    expect(engine.running).toBe(0);
  });

  test('a piece at which the engine breaks is tried again, three times in all', async () => {
    const tones = tonesFor(20_000);
    const engine = toneEngine(RULE);
    let failures = 0;
    engine.before = ({ startMs }) => {
      if (startMs! > 0 && failures++ < 2) throw new TranscriberFailedError('the child died');
    };
    const pieces = cutPieces(soundFrom(tones, 20_000), { startMs: 0, rule: RULE });
    expect(heardIn(await all(recognize(engine, pieces)))).toEqual(saidIn(tones));
  });

  test('a call that the engine itself has tried again is not made once more', async () => {
    const engine = toneEngine(RULE);
    engine.before = () => {
      throw new TranscriberFailedError('it is down', { wasRetried: true });
    };
    const pieces = cutPieces(soundFrom(tonesFor(3_000), 3_000), { startMs: 0, rule: RULE });
    await expect(all(recognize(engine, pieces))).rejects.toThrow('it is down');
    expect(engine.calls).toHaveLength(1);
  });

  test('an engine that breaks for good ends all other calls at once, and the source', async () => {
    const engine = toneEngine(RULE);
    let isEnded = false;
    async function* sound() {
      try {
        yield* soundFrom(tonesFor(60_000), 60_000);
      } finally {
        isEnded = true;
      }
    }
    engine.before = ({ startMs, signal }) => {
      if (startMs! > 3_000 && startMs! < 8_000) throw new TranscriberFailedError('no', { retryable: false });
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    };
    const work = all(recognize(engine, cutPieces(sound(), { startMs: 0, rule: RULE })));
    await expect(work).rejects.toThrow('no');
    expect(engine.running).toBe(0);
    await waitFor('the source to be ended', () => isEnded);
    expect(engine.calls.length).toBeLessThanOrEqual(3);
  });

  test('a cancel ends all calls and is the reason that is thrown', async () => {
    const abort = new AbortController();
    const engine = toneEngine(RULE);
    engine.before = ({ signal }) => {
      if (engine.running === 3) abort.abort(new Error('canceled'));
      return new Promise((_, reject) => {
        if (signal.aborted) reject(signal.reason as Error);
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      });
    };
    const pieces = cutPieces(soundFrom(tonesFor(60_000), 60_000), { startMs: 0, rule: RULE });
    await expect(all(recognize(engine, pieces, { signal: abort.signal }))).rejects.toThrow('canceled');
    expect(engine.running).toBe(0);
  });

  test('channels are heard apart and merged in time', async () => {
    const [one, other] = [tonesFor(12_000), tonesFor(12_000).map((tone) => ({ ...tone, startMs: tone.startMs + 350 }))];
    async function* sound() {
      for (let at = 0; at < 13_000; at += 500) yield [one, other].map((tones) => soundOf(tones, at, at + 500));
    }
    const heard = await all(recognize(toneEngine(RULE), cutPieces(sound(), { startMs: 0, rule: RULE })));
    const segments = heard.flatMap((piece) => piece.segments);
    expect(segments.map(({ startMs }) => startMs)).toEqual(
      segments.map(({ startMs }) => startMs).sort((a, b) => a - b),
    );
    const of = (channel: number) => segments.filter((segment) => segment.channel === channel);
    expect(of(0).map(({ text, startMs }) => [text, startMs])).toEqual(saidIn(one));
    expect(of(1).map(({ text, startMs }) => [text, startMs])).toEqual(saidIn(other));
  });
});
