import type { RawData, WebSocket } from 'ws';
import { joinedSamples } from '../../joined-samples';
import { endsInSilence, hearSounds, type HeardSound } from './hear-sounds';
import { must } from './peer';

/** What a stream does instead of what the documentation says. */
export type StreamFault =
  /** Breaks off in the middle of what is said. */
  | 'breaks off'
  /** Closes by protocol, as for an error of its own. */
  | 'closes with 1011'
  | 'ignores Finalize'
  | 'reads nothing'
  /** Is so slow that nothing is said before the end. */
  | 'guesses nothing'
  /** Once a second, as in the examples of the documentation; otherwise ten times. */
  | 'guesses seldom'
  /** Says all of it before it is asked to; then it need not answer `Finalize`. */
  | 'is done early'
  | 'JSON that breaks off'
  | 'another shape'
  | 'an error'
  | 'bytes';

/** What was said is final after 3 to 5 s. */
const WINDOW_MS = 3_000;
const STEP_SAMPLES = 100 * 16;
const NONSENSE: Partial<Record<StreamFault, string | Buffer>> = {
  'JSON that breaks off': '{"type":"Results","chan',
  'another shape': '{"type":"Results","channel":{}}',
  'an error': '{"type":"Error","variant":"X","description":"dg-test-4711 said too much"}',
  bytes: Buffer.from([1, 2, 3]),
};

/** One stream, as Deepgram's reference and its page on interim results tell it, hearing sounds as words. */
export class LiveDeepgramStream {
  /** Types of its control messages, in order. */
  readonly told: string[] = [];
  isOpen = true;
  /** What is not final yet, and where in the stream it begins. */
  #rest: Int16Array = new Int16Array(0);
  #finalSamples = 0;
  #steps = 0;
  #isInSentence = false;
  #silence: NodeJS.Timeout;

  constructor(
    private readonly socket: WebSocket,
    private readonly options: {
      fault: StreamFault | undefined;
      silenceLimitMs: number;
      language: string;
      breach: (error: unknown) => void;
    },
  ) {
    const silent = (): void => socket.close(1011, 'Deepgram did not receive audio data or a text message: NET-0001');
    this.#silence = setTimeout(silent, options.silenceLimitMs);
    socket.on('close', () => {
      this.isOpen = false;
      clearTimeout(this.#silence);
    });
    if (options.fault === 'reads nothing') socket.pause();
    else socket.on('message', (data, isBinary) => this.#take(data, isBinary));
  }

  /** Reads what it has left unread, and forgets it. */
  readOn(): void {
    this.socket.resume();
  }

  get receivedMs(): number {
    return (this.#finalSamples + this.#rest.length) / 16;
  }

  #take(data: RawData, isBinary: boolean): void {
    try {
      this.#silence.refresh();
      const bytes = data as Buffer;
      if (isBinary) this.#hear(bytes);
      else this.#obey(JSON.parse(bytes.toString('utf8')) as { type: string });
    } catch (error) {
      this.options.breach(error);
      this.socket.close(1008, 'DATA-0000');
    }
  }

  #hear(bytes: Buffer): void {
    must(bytes.length > 0, 'no empty audio: it once meant the end');
    must(bytes.length % 2 === 0, 'whole samples');
    must(bytes.length <= 8_000, 'at most 250 ms at a time');
    const samples = samplesOf(bytes);
    // Step by step from where the last final result ended, so the results do not depend on how audio is cut.
    for (let from = 0; from < samples.length;) {
      const part = samples.subarray(from, from + STEP_SAMPLES * (this.#steps + 1) - this.#rest.length);
      this.#rest = joinedSamples([this.#rest, part]);
      from += part.length;
      if (this.#rest.length === STEP_SAMPLES * (this.#steps + 1)) this.#step();
    }
  }

  #step(): void {
    this.#steps++;
    const { fault } = this.options;
    const sounds = hearSounds(this.#rest);
    if (sounds.length > 0 && fault === 'breaks off') return this.socket.terminate();
    if (sounds.length > 0 && fault === 'closes with 1011') return this.socket.close(1011, 'NET-0000');
    if (sounds.length > 0 && fault && NONSENSE[fault] !== undefined) return this.socket.send(NONSENSE[fault]);
    const saidMs = sounds[0] ? this.#rest.length / 16 - sounds[0].startMs : 0;
    const isLong = fault === 'is done early' || saidMs >= WINDOW_MS;
    if (isLong && endsInSilence(this.#rest)) return this.#say(sounds, { isFinal: true, isFinalized: false });
    const isTime = fault !== 'guesses seldom' || this.#steps % 10 === 0;
    if (isTime && fault !== 'guesses nothing') this.#say(sounds, { isFinal: false, isFinalized: false });
  }

  #obey(message: { type: string }): void {
    must(Object.keys(message).join() === 'type', 'a type and nothing else');
    this.told.push(message.type);
    if (message.type === 'Finalize') return this.#finalize();
    if (message.type === 'CloseStream') return this.#close();
    must(message.type === 'KeepAlive', 'KeepAlive, Finalize or CloseStream');
    must(this.receivedMs > 0, 'some audio before the first KeepAlive');
  }

  #finalize(): void {
    const { fault } = this.options;
    if (fault === 'ignores Finalize') return;
    // Hardly anything is left then: no answer is promised.
    if (fault !== 'is done early') this.#say(hearSounds(this.#rest), { isFinal: true, isFinalized: true });
    this.#isInSentence = false;
  }

  #close(): void {
    this.socket.send(JSON.stringify({ type: 'Metadata', request_id: 'test', duration: this.receivedMs / 1_000 }));
    this.socket.close(1000);
  }

  #say(sounds: readonly HeardSound[], { isFinal, isFinalized }: { isFinal: boolean; isFinalized: boolean }): void {
    const words = sounds.map((sound, at) => this.#word(sound, at, isFinalized && at === sounds.length - 1));
    const { language } = this.options;
    const alternative = {
      transcript: words.map(({ punctuated_word: text }) => text).join(' '),
      confidence: 0.9,
      words,
      ...(language === 'multi' ? { languages: ['es'] } : {}),
    };
    const duration = this.#rest.length / 16_000;
    const start = this.#finalSamples / 16_000;
    const flags = { is_final: isFinal, speech_final: false, from_finalize: isFinalized };
    const channel = { alternatives: [alternative] };
    this.socket.send(JSON.stringify({ type: 'Results', channel_index: [0, 1], duration, start, ...flags, channel }));
    if (!isFinal) return;
    this.#isInSentence ||= sounds.length > 0;
    this.#finalSamples += this.#rest.length;
    this.#rest = new Int16Array(0);
    this.#steps = 0;
  }

  /** As a sentence has it: its first word with a capital, its last, once that is known, with a full stop. */
  #word({ text, startMs, endMs }: HeardSound, at: number, isLast: boolean) {
    const from = this.#finalSamples / 16;
    const capital = at === 0 && !this.#isInSentence ? text.toUpperCase() : text;
    return {
      word: text,
      punctuated_word: isLast ? `${capital}.` : capital,
      start: (from + startMs) / 1_000,
      end: (from + endMs) / 1_000,
      confidence: 0.9,
      ...(this.options.language === 'multi' ? { language: 'es' } : {}),
    };
  }
}

function samplesOf(bytes: Buffer): Int16Array {
  return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer);
}
