import { wordErrorRate } from '../../../../platform/testing/golden-speech';
import { describeWhenInstalled } from '../../../../platform/testing/installed';
import { waitFor } from '../../../../platform/testing/wait';
import type { RecognizedSegment, TranscribeOptions, Transcriber } from '../transcriber';
import { expectDeclared } from './expect-declared';
import { cut, goldenRecording, lengthMs, noise, silence, Source, type Golden } from './recordings';

export interface UnderTest {
  /** Why the engine or what the test needs is not here; null: it is. */
  missing: string | null;
  open: () => Promise<Transcriber>;
  /** Word errors per word of the golden recording; null for an engine that understands nothing. */
  maxWordErrorRate: number | null;
  /** A tag that it does not take. */
  unservedLanguage: string;
  /** Called after each test: what else must hold, such as that a server saw no breach of its protocol. */
  after?: () => void | Promise<void>;
}

/** What every speech engine must do, whatever it is: each declared capability is checked on the same recordings. */
export function describeTranscriber(name: string, under: UnderTest): void {
  describeWhenInstalled(under.missing, `${name} as a transcriber`, () => {
    let golden: Golden;
    let engine: Transcriber;
    /** A third of the recording; the whole is heard once, for it takes a slow engine long. */
    let part: Int16Array;

    beforeAll(async () => {
      golden = await goldenRecording();
      engine = await under.open();
      part = cut(golden.pcm, 0, golden.utterances[2]!.endMs + 600);
    });
    afterAll(() => engine[Symbol.asyncDispose]());
    afterEach(() => under.after?.());

    async function heard(pcm: Int16Array, options: Partial<TranscribeOptions> = {}): Promise<RecognizedSegment[]> {
      const source = new Source(pcm);
      const segments = await all(source, options);
      expect(source.isEnded || source.readSamples === 0).toBe(true);
      const startMs = options.startMs ?? 0;
      expectDeclared(engine.info, segments, { startMs, endMs: startMs + Math.ceil(lengthMs(pcm)) }, options);
      return segments;
    }

    async function all(source: Source, options: Partial<TranscribeOptions> = {}): Promise<RecognizedSegment[]> {
      const segments: RecognizedSegment[] = [];
      const call = { signal: new AbortController().signal, ...options };
      for await (const segment of engine.transcribe(source, call)) segments.push(segment);
      return segments;
    }

    test('is available here', async () => {
      expect(await engine.probe()).toEqual({ available: true });
    });

    test('hears the recording as a whole, in order, inside its time', async () => {
      const whole = await heard(golden.pcm);
      expect(whole.length).toBeGreaterThan(0);
      if (under.maxWordErrorRate === null) return;
      const rate = wordErrorRate(textOf(golden.utterances), textOf(whole));
      expect(rate).toBeLessThanOrEqual(under.maxWordErrorRate);
      expect(whole).toHaveLength(golden.utterances.length);
      whole.forEach(({ startMs }, index) =>
        expect(Math.abs(startMs - golden.utterances[index]!.startMs)).toBeLessThan(400),
      );
    });

    test('no audio, silence and a click are no segments', async () => {
      expect(await heard(silence(0))).toEqual([]);
      expect(await heard(silence(50))).toEqual([]);
      expect(await heard(silence(3_000))).toEqual([]);
    });

    test('noise breaks no promise', async () => {
      await heard(noise(3_000, 3_000));
    });

    test('puts a piece from the middle at its place in the media', async () => {
      const { startMs, endMs } = golden.utterances[2]!;
      const piece = cut(golden.pcm, startMs - 300, endMs + 600);
      const [first] = await heard(piece, { startMs: 3_600_000 });
      expect(first!.startMs).toBeGreaterThanOrEqual(3_600_000);
      expect(first!.startMs).toBeLessThan(3_600_700);
    });

    test('hears the same again, also when two calls run at once', async () => {
      const { startMs, endMs } = golden.utterances[4]!;
      const other = cut(golden.pcm, startMs - 300, endMs + 600);
      const alone = [await heard(part), await heard(other)];
      expect(await Promise.all([heard(part), heard(other)])).toEqual(alone);
    });

    test('an abort ends a call with its reason and gives everything back', async () => {
      const controller = new AbortController();
      const source = new Source(part, true);
      const call = all(source, { signal: controller.signal });
      await waitFor('audio to be taken', () => source.readSamples > 0);
      controller.abort(new Error('the test has heard enough'));
      await expect(call).rejects.toThrow('the test has heard enough');
      await waitFor('the source to be ended', () => source.isEnded);
      const { startMs, endMs } = golden.utterances[0]!;
      expect((await heard(cut(golden.pcm, startMs - 300, endMs + 600))).length).toBeGreaterThan(0);
    });

    test('a call that was aborted before it began takes nothing', async () => {
      const source = new Source(part);
      const reason = new Error('never mind');
      await expect(all(source, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      expect(source.readSamples).toBe(0);
    });

    test('passes on what its source throws', async () => {
      const broken = new Error('the decoder was stopped');
      async function* source(): AsyncGenerator<Int16Array> {
        yield cut(golden.pcm, 0, 1_000);
        throw broken;
      }
      const call = engine.transcribe(source(), { signal: new AbortController().signal });
      await expect(call[Symbol.asyncIterator]().next()).rejects.toBe(broken);
    });

    test('refuses what it does not declare', async () => {
      const { info } = engine;
      const refused = async (options: Partial<TranscribeOptions>) =>
        expect(all(new Source(part), options)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
      await refused({ language: under.unservedLanguage });
      await refused({ vocabulary: { keyterms: Array.from({ length: info.maxKeyterms + 1 }, (_, n) => `term ${n}`) } });
      if (!info.grammar)
        await refused({ vocabulary: { keyterms: [], grammar: '#JSGF V1.0; grammar g; public <g> = yes;' } });
      if (!info.speakers) await refused({ speakers: {} });
      if (!info.detectsLanguage) await refused({ languages: ['en', under.unservedLanguage] });
    });

    test('takes what it declares', async () => {
      const { info } = engine;
      const { startMs, endMs } = golden.utterances[0]!;
      const piece = cut(golden.pcm, startMs - 300, endMs + 600);
      for (const language of info.languages.slice(0, 1))
        for (const segment of await heard(piece, { language })) expect(segment.language).toBe(language);
      if (info.maxKeyterms > 0) await heard(piece, { vocabulary: { keyterms: ['conference', 'the conference'] } });
      if (info.speakers) await heard(part, { speakers: { max: 2 } });
      if (info.detectsLanguage) await heard(piece, { languages: info.languages.slice(0, 2) });
    });
  });
}

function textOf(parts: readonly { text: string }[]): string {
  return parts.map(({ text }) => text).join(' ');
}
