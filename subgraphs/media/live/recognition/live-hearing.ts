import { joinedSamples } from '../../transcriber/joined-samples';
import type { HeardUtterance, LiveDecoder } from '../../transcriber/live/live-decoder';
import { segmentOf } from '../../transcriber/timed-words';
import { PCM_SAMPLE_RATE_HZ, type RecognizedSegment } from '../../transcriber/transcriber';
import { VoiceActivity, type VoiceEvent } from '../../transcriber/voice-activity';
import type { Captions } from './captions';
import type { CaptionWriter } from './caption-writer';
import { firstSample, type LiveCheckpoint } from './checkpoint';

const SAMPLES_PER_MS = PCM_SAMPLE_RATE_HZ / 1_000;
/**
 * What is heard at a time: then the decoder is asked what it makes of it. Less than speech needs to begin (80 ms), so that the
 * voice detector always stands between two utterances when one has ended.
 */
const STEP_SAMPLES = 50 * SAMPLES_PER_MS;
/** In silence, what was heard is noted this often, and a place from where to go on that often. */
const NOTE_SAMPLES = 1_000 * SAMPLES_PER_MS;
const CHECKPOINT_SAMPLES = 10_000 * SAMPLES_PER_MS;
/** Guesses that come later than this behind the speaker are not shown: catching up is more urgent. */
const LATE_MS = 2_000;

/**
 * Hears one session: finds where its utterances begin and end, has them decoded and passes on what they say. Time is counted
 * in samples, so the result depends on the audio alone, however it is cut and whoever goes on from a checkpoint.
 */
export class LiveHearing {
  private readonly voice: VoiceActivity;
  /** Samples taken so far, from the first one of the session. */
  private samples: number;
  private row: number;
  private heardBytes = 0;
  private notedAt: number;
  private checkedAt: number;
  private utterance: Utterance | null = null;

  constructor(
    private readonly options: {
      decoder: LiveDecoder;
      captions: Captions;
      writer: Pick<CaptionWriter, 'reach' | 'settled'>;
      checkpoint: LiveCheckpoint;
      pauseMs: number;
      /** How far what is heard at a moment is behind the speaker; milliseconds. */
      lagMs: (heardMs: number) => number;
    },
  ) {
    const { checkpoint, pauseMs } = options;
    const { voice } = checkpoint;
    this.voice = voice ? VoiceActivity.resume(voice, { pauseMs }) : new VoiceActivity({ pauseMs });
    this.samples = this.notedAt = this.checkedAt = firstSample(checkpoint);
    this.row = checkpoint.row;
  }

  get heardMs(): number {
    return Math.floor(this.samples / SAMPLES_PER_MS);
  }

  /** Hears more; behind it the rows up to `row` and the bytes up to `heardBytes` are done with. */
  async hear(samples: Int16Array, { row, heardBytes }: { row: number; heardBytes: number }): Promise<void> {
    for (let from = 0; from < samples.length;) {
      const to = Math.min(samples.length, from + STEP_SAMPLES - (this.samples % STEP_SAMPLES));
      await this.step(samples.subarray(from, to));
      from = to;
    }
    this.row = row;
    this.heardBytes = heardBytes;
  }

  /** What was said so far becomes final. */
  async flush(row: number): Promise<void> {
    await this.follow(this.voice.flush());
    this.options.captions.settle();
    this.row = row;
    await this.check();
  }

  /** No audio comes any more. */
  async end(): Promise<void> {
    await this.follow(this.voice.finish());
    this.options.captions.settle();
    this.options.captions.forgetUnheard();
    await this.check();
  }

  /** Notes how far it has come: somebody else may go on. */
  async pause(): Promise<void> {
    if (this.isBetween) await this.check();
    await this.options.writer.settled();
  }

  private async step(samples: Int16Array): Promise<void> {
    const { captions } = this.options;
    const finals = captions.total.segmentCount;
    const events = this.voice.push(samples);
    this.samples += samples.length;
    await this.follow(events);
    if (this.utterance && this.samples % STEP_SAMPLES === 0) await this.guess(this.utterance);
    if (!this.utterance) captions.pass(this.heardMs);
    const hasEnded = events.some(({ type }) => type === 'end') || captions.total.segmentCount > finals;
    if (this.isBetween && (hasEnded || this.samples - this.checkedAt >= CHECKPOINT_SAMPLES)) return this.check();
    if (this.samples - this.notedAt < NOTE_SAMPLES) return;
    this.notedAt = this.samples;
    this.options.writer.reach(this.heardBytes);
  }

  /** Whether all that was said is final, so that another worker could go on from here. */
  private get isBetween(): boolean {
    return this.utterance === null && this.options.captions.isSettled;
  }

  private async follow(events: readonly VoiceEvent[]): Promise<void> {
    for (const event of events) {
      if (event.type === 'begin') await this.begin(event.atSample);
      else if (event.type === 'audio') this.utterance!.audio.push(event.samples);
      else await this.finish(this.utterance!, event);
    }
  }

  private async begin(atSample: number): Promise<void> {
    const beginMs = Math.round(atSample / SAMPLES_PER_MS);
    this.utterance = { beginMs, audio: [], guess: null };
    this.options.captions.begin(beginMs);
    await this.options.decoder.begin();
  }

  private async guess(utterance: Utterance): Promise<void> {
    await this.feed(utterance);
    const { guess, beginMs } = utterance;
    // Of what a guess has not reached yet it says nothing, so no word of it has stood the test of that time.
    const heardMs = guess?.upToMs === undefined ? this.heardMs : beginMs + guess.upToMs;
    const segment = guess && this.segmentOf(utterance, guess);
    this.options.captions.guess(segment, { heardMs, isLate: this.options.lagMs(this.heardMs) > LATE_MS });
  }

  private async feed(utterance: Utterance): Promise<void> {
    const pcm = joinedSamples(utterance.audio);
    utterance.audio = [];
    if (pcm.length > 0) utterance.guess = (await this.options.decoder.feed(pcm)) ?? utterance.guess;
  }

  private async finish(utterance: Utterance, end: VoiceEvent & { type: 'end' }): Promise<void> {
    await this.feed(utterance);
    const segment = this.segmentOf(utterance, await this.options.decoder.finish(end.silentMs));
    this.utterance = null;
    const atMs = Math.round(end.atSample / SAMPLES_PER_MS) - end.silentMs;
    this.options.captions.end(segment, { atMs, turnEnd: end.reason !== 'limit' });
  }

  /** Null without words. */
  private segmentOf({ beginMs }: Utterance, { words, language }: HeardUtterance): RecognizedSegment | null {
    const placed = words.map((word) => ({ ...word, startMs: word.startMs + beginMs, endMs: word.endMs + beginMs }));
    return segmentOf(placed, { index: this.options.captions.position, language });
  }

  /** Has a checkpoint written, together with everything that was told before. */
  private async check(): Promise<void> {
    this.checkedAt = this.notedAt = this.samples;
    const { row, voice, options } = this;
    const { state } = options.decoder;
    options.writer.reach(this.heardBytes, { row, voice: voice.state, decoder: state, total: options.captions.total });
    await options.writer.settled();
  }
}

/** What is being said; `guess` is the newest one. */
interface Utterance {
  beginMs: number;
  /** Not given to the decoder yet. */
  audio: Int16Array[];
  guess: HeardUtterance | null;
}
