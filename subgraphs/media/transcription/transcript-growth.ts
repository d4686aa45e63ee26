import { isDeepStrictEqual } from 'node:util';
import type { EventLog } from '../../../platform/events/event-log';
import { newId } from '../../../platform/ids';
import type { JobEnding } from '../../../platform/jobs/job-handler';
import { transcriptTopic } from '../events';
import type { MediaTransaction, SegmentRow } from '../records';
import type { RecognizedSegment } from '../transcriber/transcriber';
import type { Checkpoint } from './checkpoint';
import { growthRecords, type TranscriptChange } from './growth-records';

/** A segment at its position in the transcript; `channel` when channels are recognized apart. */
export interface PlacedSegment extends RecognizedSegment {
  channel?: number;
}

/** What is known of a transcript that is complete. */
export interface CompleteTranscript extends Pick<TranscriptChange, 'language' | 'languageConfidence'> {
  segmentCount: number;
  confidence: number | null;
  durationMs: number;
}

/** Where what is heard is put; see {@link TranscriptGrowth}. */
export type Growth = Pick<TranscriptGrowth, 'isCorrected' | 'change' | 'put'>;

/** The growth of one transcript while its job runs. Each step ends with the events that announce it. */
export class TranscriptGrowth {
  constructor(
    private readonly events: EventLog,
    private readonly transcriptId: string,
  ) {}

  /** Opens it again when an earlier run has failed, for every engine, and answers how far that came. */
  async open(tx: MediaTransaction): Promise<Checkpoint | null> {
    const { state, checkpoint } = await growthRecords.transcript(tx, this.transcriptId);
    const before = checkpoint as Checkpoint | null; // only this class writes the column
    if (state === 'TRANSCRIBING') return before;
    await this.change(tx, { state: 'TRANSCRIBING' });
    return before && { ...before, declined: [] };
  }

  /** Whether a person has corrected something of it. */
  isCorrected(tx: MediaTransaction): Promise<boolean> {
    return growthRecords.isCorrected(tx, this.transcriptId);
  }

  change(tx: MediaTransaction, change: TranscriptChange): Promise<void> {
    return growthRecords.changeTranscript(tx, this.transcriptId, change);
  }

  /**
   * Keeps what was heard at the positions `index`, together with `change` to the transcript's own row. Where an earlier
   * attempt heard the very same, or a person has corrected the text, nothing is written and nothing announced; where it
   * heard something else, the segment gets its next revision.
   */
  async put(tx: MediaTransaction, heard: readonly PlacedSegment[], change?: TranscriptChange): Promise<void> {
    const { transcriptId, events } = this;
    const positions = heard.map(({ index }) => index);
    const known = await growthRecords.segmentsAt(tx, transcriptId, positions);
    const segments = await this.asRows(tx, heard, known);
    await growthRecords.insertSegments(
      tx,
      segments.filter(({ position }) => !known.has(position)),
    );
    for (const segment of segments) {
      if (known.has(segment.position)) await growthRecords.replaceSegment(tx, segment);
    }
    if (change) await this.change(tx, change); // behind the segments, as a correction locks them
    for (const segment of segments) {
      await events.append(tx, transcriptTopic(transcriptId), { type: 'segment.changed', segment });
    }
  }

  /**
   * Ends it as COMPLETE with `segmentCount` segments; what an earlier attempt heard behind them is removed, but for what a
   * person has corrected.
   */
  async complete(tx: MediaTransaction, { segmentCount, ...result }: CompleteTranscript): Promise<void> {
    const removedSegmentIds = await growthRecords.deleteUncorrected(tx, this.transcriptId, segmentCount);
    await growthRecords.deleteSilentSpeakers(tx, this.transcriptId);
    await this.change(tx, { ...result, checkpoint: null, state: 'COMPLETE' });
    await this.announceEnd(tx, { state: 'COMPLETE', error: null, removedSegmentIds });
  }

  /**
   * Ends it without a result. FAILED keeps what was heard, so that another run goes on behind it, and what a person has
   * corrected; CANCELED nothing.
   */
  async abandon(tx: MediaTransaction, { outcome, failure }: JobEnding): Promise<void> {
    const { checkpoint } = await growthRecords.transcript(tx, this.transcriptId);
    const heard = (checkpoint as Checkpoint | null)?.segmentCount ?? 0;
    const removedSegmentIds =
      outcome === 'FAILED'
        ? await growthRecords.deleteUncorrected(tx, this.transcriptId, heard)
        : await growthRecords.deleteSegments(tx, { transcriptId: this.transcriptId });
    await growthRecords.deleteSilentSpeakers(tx, this.transcriptId);
    await this.change(tx, { state: outcome, ...(outcome === 'CANCELED' ? { checkpoint: null } : {}) });
    await this.announceEnd(tx, { state: outcome, error: failure, removedSegmentIds });
  }

  /** The rows that differ from what is known. */
  private async asRows(
    tx: MediaTransaction,
    heard: readonly PlacedSegment[],
    known: ReadonlyMap<number, SegmentRow>,
  ): Promise<SegmentRow[]> {
    const speakers = await this.speakersOf(tx, heard);
    return heard.flatMap(
      ({ index: position, speaker: _speaker, languageConfidence: _sure, channel = 0, ...rest }, at) => {
        const before = known.get(position);
        const segment: SegmentRow = {
          ...rest,
          id: before?.id ?? newId('seg'),
          transcriptId: this.transcriptId,
          position,
          state: 'FINAL',
          stableWords: 0,
          turnEnd: null,
          channel,
          speakerId: speakers[at]!,
          revision: before?.revision ?? 1,
        };
        if (before?.state === 'EDITED' || isDeepStrictEqual(before, segment)) return [];
        return [before ? { ...segment, revision: before.revision + 1 } : segment];
      },
    );
  }

  /** The id of each segment's speaker, made when they speak for the first time; null where nobody tells. */
  private async speakersOf(tx: MediaTransaction, heard: readonly PlacedSegment[]): Promise<(string | null)[]> {
    const { transcriptId } = this;
    if (heard.every((segment) => keyOf(segment) === null)) return heard.map(() => null);
    const known = await growthRecords.speakers(tx, transcriptId);
    for (const segment of heard) {
      const key = keyOf(segment);
      if (key === null || known.has(key)) continue;
      const label = segment.channel === undefined ? `Speaker ${known.size + 1}` : `Channel ${segment.channel + 1}`;
      known.set(key, await growthRecords.insertSpeaker(tx, { transcriptId, key, label }));
    }
    return heard.map((segment) => known.get(keyOf(segment) ?? '') ?? null);
  }

  private async announceEnd(
    tx: MediaTransaction,
    end: {
      state: 'COMPLETE' | 'FAILED' | 'CANCELED';
      error: JobEnding['failure'];
      removedSegmentIds: string[];
    },
  ): Promise<void> {
    await this.events.append(tx, transcriptTopic(this.transcriptId), { type: 'transcript.finished', ...end });
  }
}

/** What the engine or the channel calls a speaker; the same in every attempt. */
function keyOf({ channel, speaker }: PlacedSegment): string | null {
  return channel === undefined ? (speaker ?? null) : `channel:${channel}`;
}
