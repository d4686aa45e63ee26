import path from 'node:path';
import type { UserProblemError } from '../../../platform/errors';
import { newId } from '../../../platform/ids';
import type { Viewer } from '../../../platform/identity/viewer';
import { JobDirectory } from '../../../platform/jobs/job-directory';
import type { Platform } from '../../../platform/platform';
import { inputProblem, type MediaProblemCode } from '../errors';
import { transcriptTopic } from '../events';
import type { MediaRecords, SegmentRow } from '../records';
import type { Aligner, Word } from '../transcriber/transcriber';
import type { Span } from './align-words';
import { decodeRange } from './decode-range';
import { checkedEdit, type EditSegmentInput } from './edit-input';
import type { EditableSegment, EditRecords } from './edit-records';
import { SegmentConflict } from './segment-conflict';
import { timeWords } from './time-words';

/** Corrections of what an engine has heard. */
export class SegmentEdits {
  constructor(
    private readonly records: MediaRecords,
    private readonly edits: EditRecords,
    private readonly platform: Pick<Platform, 'events' | 'objects' | 'scratchDirectory' | 'logger'>,
    private readonly alignment: { aligner: Aligner | null; withinMs: number },
  ) {}

  /**
   * Corrects a segment of the viewer and answers it as it is then: EDITED, of the next revision, without a confidence. Its
   * words are aligned first, which takes at most `withinMs`; nothing is locked meanwhile, so the revision is looked at again when
   * it is written. A job that still recognizes the recording leaves the segment alone from then on.
   * Throws NOT_FOUND, INVALID_STATE, INVALID_INPUT, {@link SegmentConflict} or the signal's reason; then nothing is changed.
   */
  async edit(viewer: Viewer, input: EditSegmentInput, signal: AbortSignal): Promise<SegmentRow> {
    const found = await this.edits.find(input.segmentId, viewer.userId);
    if (!found) throw unknownSegment();
    const { segment } = found;
    if (segment.revision !== input.expectedRevision) throw new SegmentConflict(segment, input.expectedRevision);
    if (segment.state === 'PARTIAL') throw stillSpoken();
    const checked = checkedEdit(input, segment, found);
    const words = await this.wordsOf(found, checked, signal);
    return this.write({ ...segment, ...checked, words, speakerId: input.speakerId ?? segment.speakerId });
  }

  /** Locks speaker, segment, transcript, event topic, in the order in which renaming does, and a job that recognizes. */
  private write(edited: SegmentRow): Promise<SegmentRow> {
    return this.records.transaction(async (tx) => {
      const { speakerId, transcriptId } = edited;
      const isThere = speakerId === null || (await this.edits.hasSpeaker(tx, transcriptId, speakerId));
      const now = await this.edits.lock(tx, edited.id);
      if (!now) throw unknownSegment();
      if (now.revision !== edited.revision) throw new SegmentConflict(now, edited.revision);
      if (!isThere) throw unknownSpeaker();
      const segment: SegmentRow = { ...edited, revision: now.revision + 1, state: 'EDITED', confidence: null };
      await this.records.writeSegment(tx, segment);
      await this.records.raiseRevision(tx, transcriptId);
      await this.platform.events.append(tx, transcriptTopic(transcriptId), { type: 'segment.changed', segment });
      return segment;
    });
  }

  private async wordsOf(
    { segment, transcript, media }: EditableSegment,
    { text, startMs, endMs }: Pick<SegmentRow, 'text' | 'startMs' | 'endMs'>,
    signal: AbortSignal,
  ): Promise<Word[]> {
    if (text === segment.text && startMs === segment.startMs && endMs === segment.endMs) return segment.words;
    const { perChannel } = transcript.options as { perChannel?: boolean };
    const channel = perChannel ? segment.channel : null;
    return timeWords(
      { old: segment.words, texts: text.split(' '), startMs, endMs, language: segment.language },
      {
        ...this.alignment,
        audio: media && ((span, limit) => this.audioOf(media.fileId, span, { channel, signal: limit })),
        report: (error) => this.platform.logger.warn({ error, segment: segment.id }, 'new words could not be aligned'),
      },
      signal,
    );
  }

  /** ffmpeg opens only files of a directory of its own, here as in a job. */
  private async audioOf(
    fileId: string,
    span: Span,
    options: { channel: number | null; signal: AbortSignal },
  ): Promise<Int16Array> {
    await using directory = new JobDirectory(this.platform.scratchDirectory, newId('seg'));
    const file = path.join(await directory.path(), 'media');
    await this.platform.objects.placeAt(fileId, file);
    return await decodeRange(file, span, options);
  }
}

function unknownSegment(): UserProblemError<MediaProblemCode> {
  return inputProblem('NOT_FOUND', 'You have no segment with this ID.', 'segmentId');
}

function unknownSpeaker(): UserProblemError<MediaProblemCode> {
  return inputProblem('NOT_FOUND', 'The transcript has no speaker with this ID.', 'speakerId');
}

function stillSpoken(): UserProblemError<MediaProblemCode> {
  return inputProblem('INVALID_STATE', 'The segment is PARTIAL: it is still being spoken.', 'segmentId');
}
