import { joinedSamples } from '../transcriber/joined-samples';
import { PCM_SAMPLE_RATE_HZ, type PieceRule } from '../transcriber/transcriber';
import { VoiceActivity } from '../transcriber/voice-activity';
import { SpeechMeter } from './speech-meter';

/** A stretch of a recording. The pieces of one recording follow each other without a gap or an overlap. */
export interface Piece {
  /** Where it lies in the source media, in whole milliseconds. */
  startMs: number;
  endMs: number;
  /** 16 kHz PCM of each channel, equally long. */
  channels: Int16Array[];
  /** How much of it sounded like a voice. */
  spokenMs: number;
}

const SAMPLES_PER_MS = PCM_SAMPLE_RATE_HZ / 1_000;
/** Audio is looked at in steps of this length; a cut is looked for after each. */
const STEP_SAMPLES = 100 * SAMPLES_PER_MS;
/** A pause must be this long to be cut in: between the words of a sentence pauses are shorter. */
const PAUSE_SAMPLES = 300 * SAMPLES_PER_MS;
/** At most this much of a pause is left to the piece behind it: recognizers want to hear a voice begin. */
const LEAD_IN_SAMPLES = 250 * SAMPLES_PER_MS;
/** Without a pause the cut is made in the quietest stretch of this length. */
const QUIET_SAMPLES = 100 * SAMPLES_PER_MS;
const QUIET_STEP_SAMPLES = 10 * SAMPLES_PER_MS;

/**
 * Cuts a recording that begins at `startMs` into pieces: in the first pause (of all channels) behind `idealMs`, or, when
 * nobody pauses before `maxMs`, in the quietest tenth of a second between the two. Holds one piece at a time.
 */
export async function* cutPieces(
  sound: AsyncIterable<Int16Array[]>,
  { startMs, rule }: { startMs: number; rule: PieceRule },
): AsyncGenerator<Piece, void, undefined> {
  const cutter = new Cutter(startMs, rule);
  for await (const chunk of sound) {
    for (let from = 0; from < chunk[0]!.length; from += STEP_SAMPLES) {
      const piece = cutter.take(chunk.map((channel) => channel.subarray(from, from + STEP_SAMPLES)));
      if (piece) yield piece;
    }
  }
  const last = cutter.rest();
  if (last) yield last;
}

class Cutter {
  private readonly voice = new VoiceActivity();
  private readonly meter = new SpeechMeter();
  private readonly idealSamples: number;
  private readonly maxSamples: number;
  private held: Int16Array[][] = [];
  private heldSamples = 0;
  /** Samples before the piece that is being held. */
  private cutAt = 0;

  constructor(
    private readonly startMs: number,
    { idealMs, maxMs }: PieceRule,
  ) {
    this.idealSamples = idealMs * SAMPLES_PER_MS;
    this.maxSamples = Math.max(maxMs, idealMs) * SAMPLES_PER_MS;
  }

  /** Takes 100 ms more; answers the piece that ends before or in them. */
  take(step: Int16Array[]): Piece | null {
    this.held.push(step);
    this.heldSamples += step[0]!.length;
    this.voice.push(mixed(step)).forEach((event) => this.meter.take(event));
    if (this.heldSamples < this.idealSamples) return null;
    const pause = this.meter.silentSince === null ? 0 : this.cutAt + this.heldSamples - this.meter.silentSince;
    if (pause >= PAUSE_SAMPLES) return this.cut(this.heldSamples - Math.min(wholeMs(pause / 2), LEAD_IN_SAMPLES));
    if (this.heldSamples < this.maxSamples) return null;
    return this.cut(
      quietestPlace(
        this.joined().map((channel) => channel.subarray(0, this.maxSamples)),
        this.idealSamples,
      ),
    );
  }

  rest(): Piece | null {
    this.voice.finish().forEach((event) => this.meter.take(event));
    return this.heldSamples === 0 ? null : this.cut(this.heldSamples);
  }

  private cut(samples: number): Piece {
    const all = this.joined();
    const channels = all.map((channel) => channel.slice(0, samples));
    const startMs = this.startMs + this.cutAt / SAMPLES_PER_MS;
    this.held = samples < this.heldSamples ? [all.map((channel) => channel.slice(samples))] : [];
    this.heldSamples -= samples;
    this.cutAt += samples;
    const endMs = this.startMs + Math.ceil(this.cutAt / SAMPLES_PER_MS);
    return { startMs, endMs, channels, spokenMs: this.meter.drain() };
  }

  private joined(): Int16Array[] {
    const joined = this.held[0]!.map((_, channel) => joinedSamples(this.held.map((step) => step[channel]!)));
    this.held = [joined];
    return joined;
  }
}

function mixed(channels: Int16Array[]): Int16Array {
  if (channels.length === 1) return channels[0]!;
  return channels[0]!.map((_, at) => channels.reduce((sum, channel) => sum + channel[at]!, 0) / channels.length);
}

/** The middle of the quietest stretch behind `from`, on a whole millisecond. */
function quietestPlace(channels: Int16Array[], from: number): number {
  let best = { energy: Infinity, at: channels[0]!.length };
  for (let at = from; at + QUIET_SAMPLES <= channels[0]!.length; at += QUIET_STEP_SAMPLES) {
    const energy = channels.reduce((sum, channel) => sum + energyOf(channel.subarray(at, at + QUIET_SAMPLES)), 0);
    if (energy < best.energy) best = { energy, at: at + QUIET_SAMPLES / 2 };
  }
  return wholeMs(best.at);
}

function energyOf(samples: Int16Array): number {
  let energy = 0;
  for (const sample of samples) energy += sample * sample;
  return energy;
}

function wholeMs(samples: number): number {
  return Math.floor(samples / SAMPLES_PER_MS) * SAMPLES_PER_MS;
}
