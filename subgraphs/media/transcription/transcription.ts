import type { JobContext } from '../../../platform/jobs/job-handler';
import type { MediaTransaction } from '../records';
import {
  EngineUnavailableError,
  TranscriberFailedError,
  UnsupportedLanguageError,
  UnsupportedOptionError,
  type RecognizedSegment,
  type TranscribeOptions,
  type Transcriber,
} from '../transcriber/transcriber';
import { advanced, emptyCheckpoint, languageOf, type Checkpoint } from './checkpoint';
import { HeardAudio } from './heard-audio';
import { inOrder } from './in-order';
import { cutPieces } from './pieces';
import { cleanSegments, maybeGoesOn } from './private/clean-segments';
import type { RecognitionPlan } from './recognition-plan';
import { inTime, recognizePieces, type ChannelSegment, type HeardPiece } from './recognize';
import type { Recording } from './recording';
import type { Growth, PlacedSegment } from './transcript-growth';

/**
 * Pieces are held back together at most this long, while what they say may be one number or address: the longest of these,
 * a card's 19 digits told with pauses of 3 s, takes a good minute.
 */
const LONGEST_HELD_MS = 300_000;

/** One attempt at a transcript. */
export interface Attempt {
  plan: RecognitionPlan;
  recording: Recording;
  growth: Growth;
  context: Pick<JobContext<MediaTransaction>, 'signal' | 'progress' | 'transaction' | 'logger'>;
  /** How far earlier attempts have come. */
  checkpoint: Checkpoint | null;
}

/** What was heard in the end, and by which engine. */
export interface Outcome {
  engine: Transcriber;
  total: Checkpoint;
}

/**
 * Recognizes the recording with the first engine, or, should that fail, from the beginning with the next one; an engine that
 * will not take the recording is not asked again by later attempts. What is heard is kept as it comes. Once a person has
 * corrected something, no other engine takes over: its segments would be others. Throws what an engine threw that may
 * succeed another time, else what the last one threw; what is wrong with the recording; or the signal's reason.
 */
export async function transcribeRecording(attempt: Attempt, engines: readonly Transcriber[]): Promise<Outcome> {
  const { checkpoint } = attempt;
  const left = engines.filter(({ info }) => !checkpoint?.declined.includes(info.id));
  const [first, ...others] = (left.length > 0 ? left : engines) as readonly [Transcriber, ...Transcriber[]];
  if (checkpoint && checkpoint.engine !== first.info.id && (await isCorrected(attempt))) {
    throw new EngineUnavailableError(
      `What ${checkpoint.engine} has heard was corrected, so that only it can go on; it cannot work now.`,
    );
  }
  return transcribeWith(first, others, attempt);
}

async function transcribeWith(
  engine: Transcriber,
  others: readonly Transcriber[],
  attempt: Attempt,
  hopeful?: unknown,
): Promise<Outcome> {
  const transcription = new Transcription(attempt, engine);
  try {
    return { engine, total: await transcription.run() };
  } catch (error) {
    const { context } = attempt;
    if (context.signal.aborted || !isEngineFailure(error)) throw error;
    const mayRecover = maySucceedLater(error);
    const declined = mayRecover ? transcription.declined : await transcription.decline();
    const failure = mayRecover ? error : (hopeful ?? error);
    const [next, ...rest] = others;
    if (!next || (await isCorrected(attempt))) throw failure;
    context.logger.warn(
      { error, engine: engine.info.id, next: next.info.id },
      'a speech engine failed; the next one begins',
    );
    const checkpoint = emptyCheckpoint(next.info.id, declined);
    return transcribeWith(next, rest, { ...attempt, checkpoint }, mayRecover ? error : hopeful);
  }
}

function isCorrected({ context, growth }: Attempt): Promise<boolean> {
  return context.transaction((tx) => growth.isCorrected(tx));
}

function isEngineFailure(error: unknown): boolean {
  const failures = [TranscriberFailedError, EngineUnavailableError, UnsupportedLanguageError, UnsupportedOptionError];
  return failures.some((failure) => error instanceof failure);
}

function maySucceedLater(error: unknown): boolean {
  return error instanceof EngineUnavailableError || (error instanceof TranscriberFailedError && error.retryable);
}

/** The work of one engine on one recording. */
class Transcription {
  /** What was heard in this attempt and, when it goes on behind them, in earlier ones. */
  private total: Checkpoint;
  /** Segments of earlier attempts with this engine that are kept until this one comes to them. */
  private readonly keptSegments: number;

  constructor(
    private readonly attempt: Attempt,
    private readonly engine: Transcriber,
  ) {
    const earlier = attempt.checkpoint?.engine === engine.info.id ? attempt.checkpoint : null;
    this.total = (this.rule && earlier) || emptyCheckpoint(engine.info.id, attempt.checkpoint?.declined);
    this.keptSegments = earlier?.segmentCount ?? 0;
  }

  async run(): Promise<Checkpoint> {
    const { context, growth } = this.attempt;
    const engine = this.engine.info.id;
    await context.transaction((tx) => growth.change(tx, { engine, checkpoint: this.checkpoint }));
    this.report(this.total.heardMs);
    if (this.rule) await this.hearPieces(this.rule);
    else if (this.channels === null) await this.hearWhole();
    else await this.hearChannels(this.channels);
    return this.total;
  }

  get declined(): string[] {
    return this.total.declined;
  }

  /** Notes that the engine will not take this recording; answers all those. */
  async decline(): Promise<string[]> {
    const { context, growth } = this.attempt;
    this.total = { ...this.total, declined: [...this.total.declined, this.engine.info.id] };
    await context.transaction((tx) => growth.change(tx, { checkpoint: this.checkpoint }));
    return this.declined;
  }

  /** Who tells speakers apart has to hear all of them. */
  private get rule() {
    return this.attempt.plan.speakers ? null : this.engine.info.pieces;
  }

  private get channels(): number | null {
    return this.attempt.plan.perChannel ? this.attempt.recording.inspection.audio.channels : null;
  }

  private async hearPieces(rule: NonNullable<Transcriber['info']['pieces']>): Promise<void> {
    const { recording, context } = this.attempt;
    const { signal } = context;
    const startMs = this.total.heardMs;
    const pieces = cutPieces(recording.sound({ channels: this.channels, startMs, signal }), { startMs, rule });
    let heardMs = startMs;
    const onHeard = (ms: number): void => this.report((heardMs += ms / (this.channels ?? 1)));
    const options = { engine: this.engine, call: this.call, parallel: rule.parallel, onHeard, signal };
    let held: HeardPiece[] = [];
    for await (const heard of recognizePieces(pieces, options)) {
      held.push(heard);
      if (heard.endMs - this.total.heardMs < LONGEST_HELD_MS && this.mayGoOn(heard.segments)) continue;
      await this.keepPieces(held);
      held = [];
    }
    if (held.length > 0) await this.keepPieces(held);
  }

  private async keepPieces(pieces: readonly HeardPiece[]): Promise<void> {
    const { endMs } = pieces.at(-1)!;
    const spokenMs = pieces.reduce((sum, piece) => sum + piece.spokenMs, 0);
    const segments = pieces.flatMap((piece) => piece.segments);
    const cleaned = Array.from({ length: this.channels ?? 1 }, (_, channel) =>
      this.clean(segments.filter((segment) => segment.channel === channel)).map(onChannel(channel)),
    ).flat();
    await this.keep({ segments: inTime(cleaned), endMs, spokenMs });
  }

  /** Whether something that has to be redacted may go on in the next piece, on any channel. */
  private mayGoOn(segments: readonly ChannelSegment[]): boolean {
    const last = new Map(segments.map((segment) => [segment.channel, segment]));
    return [...last.values()].some((segment) => maybeGoesOn(segment, this.attempt.plan));
  }

  private async hearWhole(): Promise<void> {
    const { recording, context } = this.attempt;
    const audio = new HeardAudio(recording.pcm(context), () => this.report(audio.heardMs));
    const heard = this.engine.transcribe(audio, { ...this.call, signal: context.signal });
    for await (const segments of this.together(heard)) {
      await this.keep({ segments: this.clean(segments).map(onChannel(0)), endMs: 0, spokenMs: 0 });
    }
    this.total = { ...this.total, heardMs: audio.heardMs, spokenMs: audio.spokenMs() };
  }

  /** A call for each channel, all at once: none may wait for another, whose engine may be the only one there is. */
  private async hearChannels(count: number): Promise<void> {
    const { recording, context } = this.attempt;
    const audios: HeardAudio[] = [];
    const report = (): void => this.report(audios.reduce((sum, { heardMs }) => sum + heardMs, 0) / count);
    const hear = async (channel: number, signal: AbortSignal): Promise<ChannelSegment[]> => {
      const audio = (audios[channel] = new HeardAudio(recording.pcm({ channel, signal }), report));
      const segments: RecognizedSegment[] = [];
      for await (const segment of this.engine.transcribe(audio, { ...this.call, signal })) segments.push(segment);
      return this.clean(segments).map(onChannel(channel));
    };
    const segments: ChannelSegment[] = [];
    for await (const heard of inOrder(upTo(count), hear, { parallel: count, signal: context.signal })) {
      segments.push(...heard);
    }
    await this.keep({ segments: inTime(segments), endMs: 0, spokenMs: 0 });
    const spokenMs = Math.max(...audios.map((audio) => audio.spokenMs()));
    this.total = { ...this.total, heardMs: Math.max(...audios.map(({ heardMs }) => heardMs)), spokenMs };
  }

  /** Commits what was heard together with how far that is. */
  private async keep({ segments, endMs, spokenMs }: HeardPiece): Promise<void> {
    const { context, growth, plan } = this.attempt;
    const placed = segments.map(({ channel, ...segment }, at): PlacedSegment => {
      const index = this.total.segmentCount + at;
      return plan.perChannel ? { ...segment, index, channel } : { ...segment, index };
    });
    this.total = advanced(this.total, { segments, heardMs: endMs, spokenMs });
    await context.transaction((tx) => growth.put(tx, placed, { ...this.detected, checkpoint: this.checkpoint }));
  }

  /** How far another attempt could go on; without pieces it begins again, and replaces what is there. */
  private get checkpoint(): Checkpoint {
    if (this.rule) return this.total;
    const segmentCount = Math.max(this.keptSegments, this.total.segmentCount);
    return { ...emptyCheckpoint(this.engine.info.id, this.declined), segmentCount };
  }

  private get detected(): { language?: string; languageConfidence?: number } {
    const found = this.attempt.plan.language === null ? languageOf(this.total) : null;
    return found ? { language: found.language, languageConfidence: found.confidence } : {};
  }

  private get call(): Omit<TranscribeOptions, 'signal'> {
    const { language, languages, keyterms, grammar, speakers } = this.attempt.plan;
    const isVocabulary = keyterms.length > 0 || grammar !== null;
    return {
      ...(language === null ? {} : { language }),
      ...(languages.length === 0 ? {} : { languages }),
      ...(isVocabulary ? { vocabulary: { keyterms, ...(grammar === null ? {} : { grammar }) } } : {}),
      ...(speakers === null ? {} : { speakers: speakers.max === null ? {} : { max: speakers.max } }),
    };
  }

  private readonly clean = (segments: RecognizedSegment[]): RecognizedSegment[] =>
    cleanSegments(segments, this.attempt.plan);

  /** Holds segments back while something that has to be redacted may go on in the next one. */
  private async *together(
    segments: AsyncIterable<RecognizedSegment>,
  ): AsyncGenerator<RecognizedSegment[], void, undefined> {
    let group: RecognizedSegment[] = [];
    for await (const segment of segments) {
      group.push(segment);
      if (maybeGoesOn(segment, this.attempt.plan)) continue;
      yield group;
      group = [];
    }
    if (group.length > 0) yield group;
  }

  /** A file that does not state its length shows the stage, and no invented fraction. */
  private report(heardMs: number): void {
    const { context, recording } = this.attempt;
    context.progress(recording.durationMs ? heardMs / recording.durationMs : 0, 'recognize');
  }
}

function onChannel(channel: number): (segment: RecognizedSegment) => ChannelSegment {
  return (segment) => ({ ...segment, channel });
}

async function* upTo(count: number): AsyncGenerator<number, void, undefined> {
  for (let at = 0; at < count; at++) yield at;
}
