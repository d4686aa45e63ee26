import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { JobProblem } from '../../../platform/jobs/job-handler';
import type { ExportRecords } from '../exports/export-records';
import type { TranscodePayload } from '../jobs/transcode';
import type { MediaRecords, TranscriptRow } from '../records';
import { HLS_SUBTITLES_TEXT } from './hls';
import { clippedSubtitles, mp4Language } from './subtitles';

/** Subtitles that have been written into the job's directory. */
export interface Subtitles {
  file: string;
  /** BCP 47 tag. */
  language: string;
  /** See {@link mp4Language}. */
  mp4Language: string | null;
  /** The transcript they show, as it was before its text was read: a correction in between makes the rendition stale. */
  transcript: Pick<TranscriptRow, 'id' | 'revision'>;
}

/** Renders the transcript that a job names, for its part of the recording; null when it names none. */
export async function subtitlesFor(
  { subtitlesFrom, clipFromMs, clipToMs, mediaId }: TranscodePayload,
  from: { ownerId: string; directory: string; records: MediaRecords; contents: ExportRecords },
): Promise<Subtitles | null> {
  if (subtitlesFrom === null) return null;
  const [transcript] = await from.records.transcriptsByIds([subtitlesFrom], from.ownerId);
  if (transcript?.mediaId !== mediaId || transcript.state !== 'COMPLETE') {
    throw new JobProblem('NOT_FOUND', 'The transcript for the subtitles is gone.', false);
  }
  const { segments } = await from.contents.contentOf(transcript.id, null);
  const file = path.join(from.directory, HLS_SUBTITLES_TEXT);
  await writeFile(file, clippedSubtitles(transcript, segments, { fromMs: clipFromMs ?? 0, toMs: clipToMs }));
  const { language } = transcript;
  return { file, language, mp4Language: mp4Language(language), transcript };
}
