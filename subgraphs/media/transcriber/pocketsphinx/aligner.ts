import { orAborted } from '../../../../platform/or-aborted';
import { Pool } from '../pool';
import { PCM_SAMPLE_RATE_HZ, type Aligner } from '../transcriber';
import { DecoderProcess, type HeardWord } from './decoder-process';
import { findPocketSphinx, type InstallationOptions } from './installation';
import { isWord } from './text';
import { soundsOf } from './vocabulary/prepare';
import { wordsOf } from './vocabulary/words';

export interface AlignerOptions extends InstallationOptions {
  /** How long the decoder is kept when nobody uses it, in milliseconds; default a minute. */
  idleMs?: number;
  /** Name or path of espeak-ng, which knows how words are said that the dictionary lacks. */
  espeak?: string;
}

interface Place {
  startMs: number;
  endMs: number;
}

const LANGUAGE = 'en';
const LONGEST_SECONDS = 60;
const MS_PER_FRAME = 10;
/** A little silence around the words, for the first and the last sound to be told from the edge. */
const MARGIN_MS = 200;

/**
 * Finds the words of a known English text in its audio with PocketSphinx, which is let hear nothing else: pauses may
 * be anywhere between them. One alignment at a time, in a process of its own that is closed after a minute without work.
 * About 0.03 s of CPU per second of audio. `align` throws RangeError for more than 60 s.
 */
export function createPocketSphinxAligner(options: AlignerOptions = {}): Aligner {
  const pool = new Pool({
    limit: 1,
    open: async () => DecoderProcess.open(findPocketSphinx(options), 'alignment'),
    ...(options.idleMs != null && { idleMs: options.idleMs }),
  });
  return {
    async align(pcm, words, { language, signal }) {
      if (pcm.length > LONGEST_SECONDS * PCM_SAMPLE_RATE_HZ) {
        throw new RangeError(`At most ${LONGEST_SECONDS} s are aligned, not ${pcm.length / PCM_SAMPLE_RATE_HZ}.`);
      }
      if (language.split('-', 1)[0]!.toLowerCase() !== LANGUAGE) return null;
      using loan = await pool.acquire(signal);
      const alignment = new Alignment(loan.resource, signal);
      const { espeak } = options;
      return alignment.find(pcm, words, espeak);
    },
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  };
}

class Alignment {
  constructor(
    private readonly decoder: DecoderProcess,
    private readonly signal: AbortSignal,
  ) {}

  async find(pcm: Int16Array, words: readonly string[], espeak?: string): Promise<Place[] | null> {
    const spoken = words.map(wordsOf);
    const all = spoken.flat();
    const { added, unsayable } = await soundsOf(all, {
      unknownWords: (entries) => orAborted(this.decoder.unknownWords(entries), this.signal),
      signal: this.signal,
      ...(espeak != null && { espeak }),
    });
    if (all.length === 0 || unsayable.size > 0) return null;
    await orAborted(this.decoder.expect({ added, graph: chainOf(all.map(({ entry }) => entry)) }), this.signal);
    const places = (await this.#hear(pcm)).filter(isWord).map((heard) => placeOf(heard, pcm.length));
    if (places.length !== all.length) return null;
    let at = 0;
    return spoken.map((parts) => {
      const own = places.slice(at, (at += parts.length));
      // A dash between two words takes no time.
      const edge = places[at - 1]?.endMs ?? places[0]!.startMs;
      return { startMs: own[0]?.startMs ?? edge, endMs: own.at(-1)?.endMs ?? edge };
    });
  }

  async #hear(pcm: Int16Array): Promise<HeardWord[]> {
    const margin = new Int16Array((MARGIN_MS * PCM_SAMPLE_RATE_HZ) / 1_000);
    const audio = new Int16Array(margin.length * 2 + pcm.length);
    audio.set(pcm, margin.length);
    await orAborted(this.decoder.tuneIn(pcm), this.signal);
    await orAborted(this.decoder.beginUtterance(), this.signal);
    for (let from = 0; from < audio.length; from += PCM_SAMPLE_RATE_HZ) {
      await orAborted(this.decoder.feed(audio.slice(from, from + PCM_SAMPLE_RATE_HZ)), this.signal);
    }
    return orAborted(this.decoder.finishUtterance(), this.signal);
  }
}

function placeOf({ startFrame, endFrame }: HeardWord, samples: number): Place {
  const lastMs = Math.floor((samples * 1_000) / PCM_SAMPLE_RATE_HZ);
  const at = (frame: number) => Math.min(Math.max(0, frame * MS_PER_FRAME - MARGIN_MS), lastMs);
  return { startMs: at(startFrame), endMs: at(endFrame) };
}

/** The graph that allows these words in this order; PocketSphinx itself allows silence and noise between them. */
function chainOf(entries: readonly string[]): string {
  return [
    'FSG_BEGIN alignment',
    `NUM_STATES ${entries.length + 1}`,
    'START_STATE 0',
    `FINAL_STATE ${entries.length}`,
    ...entries.map((entry, index) => `TRANSITION ${index} ${index + 1} 1 ${entry}`),
    'FSG_END\n',
  ].join('\n');
}
