import { isDeepStrictEqual } from 'node:util';
import type { UserProblemError } from '../../../platform/errors';
import type { Job } from '../../../platform/jobs/job';
import type { WantedFile } from '../asking/files';
import { exportTranscriptJob } from '../jobs/export-transcript';
import { transcodeJob } from '../jobs/transcode';
import type { RecognitionPlan } from '../recognition';
import type { TranscriptRow } from '../records';
import type { WantedRendition } from '../transcoding/transcodings';
import type { Derivations } from './freshness';
import type { LineageRow } from './lineage-records';
import { fileSettingsOf, renditionSettingsOf } from './origins';

/** What is to be made anew; nothing when all of it is empty. */
export interface Renewal {
  /** The transcript that results are made of, unless it is made anew itself. */
  source: TranscriptRow | null;
  /** How it is made anew; null when it stays. A problem refuses a first call only, see `orThrow`. */
  plan: RecognitionPlan | UserProblemError | null;
  languages: string[];
  files: WantedFile[];
  renditions: WantedRendition[];
}

/** What has been made of a recording, which results of it are stale, and who is at it. */
export interface Situation {
  all: Derivations;
  stale: ReadonlySet<string>;
  underWay: readonly Job[];
}

/** What is made of a transcript is made anew with it. */
interface Source {
  source: TranscriptRow;
  isHeardAnew: boolean;
}

/** Into which languages a transcript is translated again; those that a job is at are not. */
export function languagesAnew({ all, stale, underWay }: Situation, { source, isHeardAnew }: Source): string[] {
  const isAt = (jobId: string): boolean => underWay.some(({ id }) => id === jobId);
  const made = all.translations.filter(({ transcriptId, engine }) => transcriptId === source.id && engine !== null);
  const anew = made.filter(({ id, jobId }) => isHeardAnew || (stale.has(id) && !isAt(jobId)));
  return anew.map(({ language }) => language);
}

/** Which files of a transcript are written again: those that are stale, or show a translation that is made anew. */
export function filesAnew(
  { all, stale, underWay }: Situation,
  { source, isHeardAnew }: Source,
  languages: readonly string[],
): WantedFile[] {
  const ofSource = ({ kind, inputIds }: LineageRow): boolean =>
    kind === exportTranscriptJob.kind && inputIds[0] === source.id;
  const isBeingWritten = (file: WantedFile): boolean =>
    underWay.some(
      ({ kind, payload }) =>
        kind === exportTranscriptJob.kind && isDeepStrictEqual(payload, { transcriptId: source.id, ...file }),
    );
  const anew = newestOfEach(all.lineage.filter(ofSource), fileSettingsOf).filter(({ outputId, wanted }) => {
    const { translation } = wanted.options;
    const isShownAnew = translation !== null && languages.includes(translation);
    if (isHeardAnew) return translation === null || isShownAnew;
    return (stale.has(outputId) || isShownAnew) && !isBeingWritten(wanted);
  });
  return anew.map(({ wanted }) => wanted);
}

/** Which renditions are made again. */
export function renditionsAnew({ all, stale, underWay }: Situation): WantedRendition[] {
  const isBeingMade = (wanted: WantedRendition): boolean =>
    underWay.some(({ kind, payload }) => {
      if (kind !== transcodeJob.kind) return false;
      const { preset, clipFromMs, clipToMs, subtitlesFrom } = transcodeJob.parse(payload);
      return isDeepStrictEqual({ preset, clipFromMs, clipToMs, subtitlesFrom }, wanted);
    });
  return newestOfEach(
    all.lineage.filter(({ kind }) => kind === transcodeJob.kind),
    renditionSettingsOf,
  )
    .filter(({ outputId, wanted }) => stale.has(outputId) && !isBeingMade(wanted))
    .map(({ wanted }) => wanted);
}

/** Of results that were asked for in the same way only the newest counts. Lines come newest first. */
function newestOfEach<Wanted>(lines: readonly LineageRow[], settingsOf: (line: LineageRow) => Wanted) {
  const newest = new Map<string, { outputId: string; wanted: Wanted }>();
  for (const line of lines) {
    const wanted = settingsOf(line);
    const key = JSON.stringify(wanted); // PostgreSQL keeps the fields of jsonb in one order
    if (!newest.has(key)) newest.set(key, { outputId: line.outputId, wanted });
  }
  return [...newest.values()];
}
