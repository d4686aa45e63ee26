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
import type { PlacedSegment, TranscriptGrowth } from './transcript-growth';

/** One attempt at a transcript. */
export interface Attempt {
  plan: RecognitionPlan;
  recording: Recording;
  growth: TranscriptGrowth;
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
 * Recognizes the recording with the first engine, or, should that fail, from the beginning with the next one. What is heard
 * is kept as it comes. Throws what the last engine throws, what is wrong with the recording, or the signal's reason.
 */
export async function transcribeRecording(attempt: Attempt, engines: readonly Transcriber[]): Promise<Outcome> {
  const [engine, ...others] = engines as readonly [Transcriber, ...Transcriber[]];
  try {
    return { engine, total: await new Transcription(attempt, engine).run() };
  } catch (error) {
    const { context } = attempt;
    if (context.signal.aborted || others.length === 0 || !isEngineFailure(error)) throw error;
    context.logger.warn(
      { error, engine: engine.info.id, next: others[0]!.info.id },
      'a speech engine failed; the next one begins',
    );
    return transcribeRecording({ ...attempt, checkpoint: null }, others);
  }
}

function isEngineFailure(error: unknown): boolean {
  const failures = [TranscriberFailedError, EngineUnavailableError, UnsupportedLanguageError, UnsupportedOptionError];
  return failures.some((failure) => error instanceof failure);
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
    this.total = (this.rule && earlier) || emptyCheckpoint(engine.info.id);
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
    const options = { engine: this.engine, call: this.call, finish: this.clean, parallel: rule.parallel, signal };
    for await (const heard of recognizePieces(pieces, options)) {
      await this.keep(heard);
      this.report(heard.endMs);
    }
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
    return { ...emptyCheckpoint(this.engine.info.id), segmentCount };
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

  /** Holds segments back while a number that has to be redacted may go on in the next one. */
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
