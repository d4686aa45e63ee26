import { wordErrorRate } from '../../../../platform/testing/golden-speech';
import { describeWhenInstalled } from '../../../../platform/testing/installed';
import type { HeardUtterance, LiveDecoder, LiveDecoderOptions, LiveEngine } from '../live/live-decoder';
import { hearLive, spokenIn, textOf, type SpokenUtterance } from '../live/testing';
import { cut, goldenRecording, lengthMs, noise, silence } from './recordings';

export interface LiveUnderTest {
  /** Why the engine or what the test needs is not here; null: it is. */
  missing: string | null;
  open: () => Promise<LiveEngine>;
  /** Most word errors per word of the last guesses, against what was said in the end; null for one that understands nothing. */
  maxGuessErrorRate: number | null;
  /**
   * A service far away guesses when it can: of an utterance that is fed all at once, perhaps never. Then only the guesses that
   * do come are checked, and the test of the engine itself has to show that they come.
   */
  guessesLater?: boolean;
  /** A tag that it does not take. */
  unservedLanguage: string;
  /** Called after each test: what else must hold, such as that a server saw no breach of its protocol. */
  after?: () => void | Promise<void>;
}

/** What every engine must do that recognizes while people speak. */
export function describeLiveEngine(name: string, under: LiveUnderTest): void {
  describeWhenInstalled(under.missing, `${name} as a live engine`, () => {
    let engine: LiveEngine;
    let spoken: SpokenUtterance[];

    beforeAll(async () => {
      const { pcm, utterances } = await goldenRecording();
      spoken = spokenIn(cut(pcm, 0, utterances[2]!.endMs + 600));
      engine = await under.open();
    });
    afterAll(() => engine[Symbol.asyncDispose]());
    afterEach(() => under.after?.());

    function open(options: Partial<LiveDecoderOptions> = {}): Promise<LiveDecoder> {
      return engine.open({ signal: new AbortController().signal, ...options });
    }

    function expectDeclared({ words, language }: HeardUtterance, heardMs: number, isOver: boolean): void {
      expect(language).toMatch(/^[a-z]{2,3}(-[A-Za-z0-9]+)*$/);
      let earliestMs = 0;
      for (const { text, startMs, endMs, confidence } of words) {
        expect(text).toMatch(/^\S+$/);
        expect(Number.isInteger(startMs) && Number.isInteger(endMs)).toBe(true);
        expect(startMs).toBeGreaterThanOrEqual(earliestMs);
        expect(endMs).toBeGreaterThanOrEqual(startMs);
        if (isOver && engine.info.confidence) expect(confidence).toBeGreaterThanOrEqual(0);
        earliestMs = endMs;
      }
      expect(earliestMs).toBeLessThanOrEqual(heardMs);
    }

    test('streams, and is told so', () => {
      expect(engine.info.streaming).toBe(true);
    });

    test('the same audio gives the same words and the same state, however it is cut', async () => {
      const heard: unknown[] = [];
      for (const chunkMs of [100, 33, 60_000]) {
        await using decoder = await open();
        const finals: HeardUtterance[] = [];
        for (const utterance of spoken) finals.push((await hearLive(decoder, utterance, chunkMs)).final);
        heard.push({ finals, state: decoder.state });
      }
      expect(heard[1]).toEqual(heard[0]);
      expect(heard[2]).toEqual(heard[0]);
    });

    test('another decoder goes on from a state, which is JSON', async () => {
      await using undisturbed = await open();
      await hearLive(undisturbed, spoken[0]!);
      const state: unknown = JSON.parse(JSON.stringify(undisturbed.state));
      await using other = await open({ state });
      expect(other.state).toEqual(undisturbed.state);
      expect((await hearLive(other, spoken[1]!)).final).toEqual((await hearLive(undisturbed, spoken[1]!)).final);
      expect(other.state).toEqual(undisturbed.state);
    });

    test('guesses come in order of time and end in what was said', async () => {
      await using decoder = await open();
      const guessed: string[] = [];
      const said: string[] = [];
      for (const utterance of spoken) {
        const heardMs = lengthMs(utterance.samples);
        const { guesses, final } = await hearLive(decoder, utterance);
        expectDeclared(final, heardMs, true);
        for (const guess of guesses) expectDeclared(guess, heardMs, false);
        if (!under.guessesLater) guessed.push(textOf(guesses.at(-1)!));
        said.push(textOf(final));
      }
      if (under.maxGuessErrorRate === null || under.guessesLater) return;
      expect(wordErrorRate(said.join(' '), guessed.join(' '))).toBeLessThanOrEqual(under.maxGuessErrorRate);
    });

    test('silence, and an utterance without audio, are no words', async () => {
      await using decoder = await open();
      for (const ms of [2_000, 0, 15]) {
        const { guesses, final } = await hearLive(decoder, { startMs: 0, samples: silence(ms), silentMs: ms });
        expect([guesses, final.words]).toEqual([[], []]);
      }
    });

    test('noise breaks no promise', async () => {
      await using decoder = await open();
      const { guesses, final } = await hearLive(decoder, { startMs: 0, samples: noise(2_000, 3_000), silentMs: 0 });
      for (const guess of guesses) expectDeclared(guess, 2_000, false);
      expectDeclared(final, 2_000, true);
    });

    test('an abort ends calls with its reason, and the engine serves the next', async () => {
      const controller = new AbortController();
      await using decoder = await open({ signal: controller.signal });
      await decoder.begin();
      const feeding = decoder.feed(spoken[0]!.samples);
      controller.abort(new Error('the session has moved'));
      await expect(feeding).rejects.toThrow('the session has moved');
      await expect(decoder.finish(0)).rejects.toThrow('the session has moved');
      await expect(open({ signal: controller.signal })).rejects.toThrow('the session has moved');
      await using next = await open();
      await hearLive(next, spoken[0]!);
    });

    test('refuses what it does not declare', async () => {
      await expect(open({ language: under.unservedLanguage })).rejects.toMatchObject({ code: 'UNSUPPORTED' });
      const keyterms = Array.from({ length: engine.info.maxKeyterms + 1 }, (_, n) => `term ${n}`);
      await expect(open({ vocabulary: { keyterms } })).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    });
  });
}
