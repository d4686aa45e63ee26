import { newId } from '../../../../platform/ids';
import type { SegmentRow } from '../../records';
import type { RecognizedSegment } from '../../transcriber/transcriber';
import { advanced, type Checkpoint } from '../../transcription/checkpoint';
import { cleanSegments, maybeGoesOn } from '../../transcription/private/clean-segments';
import type { RecognitionPlan } from '../../transcription/recognition-plan';
import type { Caption, CaptionWriter } from './caption-writer';
import { shownPart } from './private-captions';
import { StableWords } from './stable-words';

/** An utterance under way, as it is shown. */
interface Shown {
  id: string;
  words: StableWords;
  text: string | null;
  /** Another worker has shown it as far as here: less is not shown again. */
  quietUntilMs: number;
}

/** What was said, but waits to be cleaned together with what follows. */
interface Held {
  id: string;
  segment: RecognizedSegment;
  turnEnd: boolean;
}

type Place = Pick<Caption, 'id' | 'position' | 'state' | 'stableWords' | 'turnEnd'>;

/** Segments wait at most this long for what may belong to them: a card's 19 digits told with pauses take a good minute. */
const LONGEST_HELD_MS = 90_000;
/** Behind a pause of 3 s another matter begins; an utterance is noticed at most 0.4 s after its beginning. */
const APART_MS = 3_500;

/**
 * Turns utterances into segments, each with one id from its first guess to its end. What private data may go on in the next
 * utterance stays PARTIAL until that is known.
 */
export class Captions {
  private shown: Shown | null = null;
  private held: Held[] = [];

  constructor(
    private readonly options: {
      plan: RecognitionPlan;
      transcriptId: string;
      speakerId: string;
      /** What another worker has shown behind its last checkpoint, by position. */
      known: Map<number, SegmentRow>;
      writer: Pick<CaptionWriter, 'put' | 'remove' | 'tellBoundary'>;
      /** What is final so far; the next segment's position is its `segmentCount`. */
      total: Checkpoint;
    },
  ) {}

  /** What is final. */
  get total(): Checkpoint {
    return this.options.total;
  }

  /** Whether everything that was said is final: nobody has to hear it again. */
  get isSettled(): boolean {
    return this.shown === null && this.held.length === 0;
  }

  /** Position of the utterance under way, or else of the next one. */
  get position(): number {
    return this.total.segmentCount + this.held.length;
  }

  begin(atMs: number): void {
    const known = this.options.known.get(this.position);
    const stable = known?.words.slice(0, known.stableWords) ?? [];
    this.shown = {
      id: known?.id ?? newId('seg'),
      words: new StableWords(stable),
      text: known?.text ?? null,
      quietUntilMs: quietUntil(known),
    };
    if (!known) this.options.writer.tellBoundary(true, atMs);
  }

  /** The guess of all of the utterance up to `heardMs`; it is shown unless that `isLate`. */
  guess(segment: RecognizedSegment | null, { heardMs, isLate }: { heardMs: number; isLate: boolean }): void {
    const shown = this.shown!;
    const part = segment && shownPart([...this.held.map((held) => held.segment), segment], this.options.plan);
    if (!part) return;
    const { words, stableWords } = shown.words.take(part.words, heardMs);
    const text = words.map((word) => word.text).join(' ');
    if (isLate || heardMs < shown.quietUntilMs || text === shown.text) return;
    shown.text = text;
    const end = { startMs: words[0]!.startMs, endMs: words.at(-1)!.endMs };
    const place = { id: shown.id, position: this.position, state: 'PARTIAL', stableWords, turnEnd: null } as const;
    this.put({ ...part, ...end, words, text }, place);
  }

  /** The utterance is over; null: it was no speech. */
  end(segment: RecognizedSegment | null, { atMs, turnEnd }: { atMs: number; turnEnd: boolean }): void {
    const { id } = this.shown!;
    this.options.known.delete(this.position);
    if (segment && this.mustWait(segment)) this.guess(segment, { heardMs: atMs, isLate: false });
    if (!segment) this.remove({ id, position: this.position, startMs: atMs, endMs: atMs });
    this.shown = null;
    this.options.writer.tellBoundary(false, atMs);
    if (!segment && this.held.length > 0) return;
    const mustWait = segment !== null && this.mustWait(segment);
    if (segment) this.held.push({ id, segment, turnEnd });
    if (!mustWait) this.settle();
  }

  /** Told in the silence between utterances. */
  pass(heardMs: number): void {
    const last = this.held.at(-1)?.segment;
    if (last && heardMs - last.endMs >= APART_MS) this.settle();
  }

  /** Makes everything final that has ended. */
  settle(): void {
    const cleaned = cleanSegments(
      this.held.map(({ segment }) => segment),
      this.options.plan,
    );
    cleaned.forEach((segment, at) => {
      const { id, turnEnd } = this.held[at]!;
      const position = this.total.segmentCount + at;
      this.put(segment, { id, position, state: 'FINAL', stableWords: segment.words.length, turnEnd });
    });
    const heardMs = Math.max(this.total.heardMs, cleaned.at(-1)?.endMs ?? 0);
    this.options.total = advanced(this.total, { segments: cleaned, heardMs, spokenMs: 0 });
    this.held = [];
  }

  /** Removes what another worker has shown and this one, which has heard everything, has not. */
  forgetUnheard(): void {
    this.options.known.forEach((segment) => this.remove(segment));
    this.options.known.clear();
  }

  private mustWait(last: RecognizedSegment): boolean {
    const first = this.held[0]?.segment ?? last;
    return last.endMs - first.startMs < LONGEST_HELD_MS && maybeGoesOn(last, this.options.plan);
  }

  private put(segment: RecognizedSegment, place: Place): void {
    const { startMs, endMs, text, words, confidence, language } = segment;
    const heard = { startMs, endMs, text, words, confidence, language };
    this.options.writer.put({ ...this.owned, ...heard, ...place });
  }

  private remove({ id, position, startMs, endMs }: Pick<Caption, 'id' | 'position' | 'startMs' | 'endMs'>): void {
    const nothing = { text: '', words: [], confidence: null, stableWords: 0, turnEnd: null };
    const language = this.options.plan.language ?? 'und';
    this.options.writer.remove({
      ...this.owned,
      ...{ id, position, startMs, endMs, language, state: 'FINAL' },
      ...nothing,
    });
  }

  private get owned(): Pick<Caption, 'transcriptId' | 'speakerId' | 'channel'> {
    const { transcriptId, speakerId } = this.options;
    return { transcriptId, speakerId, channel: 0 };
  }
}

/** What was final already is no guess again. */
function quietUntil(known: SegmentRow | undefined): number {
  if (!known) return 0;
  return known.state === 'PARTIAL' ? known.endMs : Infinity;
}
