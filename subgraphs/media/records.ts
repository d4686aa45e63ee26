import type { PlatformTransaction, SliceDatabase, SliceTransaction } from '../../platform/database/database';
import type { Media, Prisma, Segment, Transcript } from '../../platform/database/prisma-client/client';
import { FINAL_STATES, type Job } from '../../platform/jobs/job';
import { MEDIA_JOB_KINDS } from './jobs/kinds';
import { transcribeJob } from './jobs/transcribe';
import type { Word } from './transcriber/transcriber';
import type { RecognitionPlan } from './transcription/recognition-plan';

export type { MediaKind, TranscriptState } from '../../platform/database/prisma-client/client';
export type MediaRow = Media;
export type JobRow = Job;
export type TranscriptRow = Transcript;
export type SegmentRow = Omit<Segment, 'createdAt' | 'words'> & { words: Word[] };

export const MEDIA_MODELS = [
  'media',
  'mediaFacts',
  'derivedFile',
  'rendition',
  'lineage',
  'transcript',
  'segment',
  'speaker',
  'transcriptTranslation',
  'segmentTranslation',
  'liveSession',
  'liveAudio',
  'liveWorker',
  'job',
  'jobNeed',
] as const;
type MediaModel = (typeof MEDIA_MODELS)[number];
export type MediaDatabase = SliceDatabase<MediaModel>;
export type MediaTransaction = SliceTransaction<MediaModel>;

export interface LibraryFilter {
  search?: string | null | undefined;
  kinds?: readonly MediaRow['kind'][] | null | undefined;
  hasTranscript?: boolean | null | undefined;
  language?: string | null | undefined;
}

/** A transaction that the platform began holds this slice's models as well; only its type does not say so. */
export function asMediaTransaction(tx: PlatformTransaction): MediaTransaction {
  return tx as MediaTransaction;
}

/** Every query of the media slice. Reads that serve a viewer take the owner, so a foreign id finds nothing. */
export class MediaRecords {
  constructor(private readonly database: MediaDatabase) {}

  transaction<Result>(work: (tx: MediaTransaction) => Promise<Result>): Promise<Result> {
    return this.database.transaction(work);
  }

  /** A transaction whose queries all see one moment of the database; it cannot write. */
  momentOf<Result>(work: (tx: MediaTransaction) => Promise<Result>): Promise<Result> {
    return this.database.momentOf(work);
  }

  insertMedia(tx: MediaTransaction, media: Omit<MediaRow, 'createdAt' | 'durationMs'>): Promise<MediaRow> {
    return tx.media.create({ data: media });
  }

  mediaByIds(ids: readonly string[], ownerId: string): Promise<MediaRow[]> {
    return this.database.media.findMany({ where: { id: { in: [...ids] }, ownerId } });
  }

  /** The owner's recordings, newest first, behind the id `before`. */
  library(ownerId: string, filter: LibraryFilter, take: number, before: string | null): Promise<MediaRow[]> {
    return this.database.media.findMany({
      where: { ownerId, ...(before === null ? {} : { id: { lt: before } }), ...libraryConditions(filter) },
      orderBy: { id: 'desc' },
      take,
    });
  }

  async describeMedia(tx: MediaTransaction, id: string, found: Pick<MediaRow, 'kind' | 'durationMs'>): Promise<void> {
    await tx.media.update({ where: { id }, data: found });
  }

  insertTranscript(
    tx: MediaTransaction,
    transcript: Pick<TranscriptRow, 'id' | 'ownerId' | 'mediaId' | 'jobId' | 'language' | 'engine'> & {
      options: RecognitionPlan;
    },
  ): Promise<TranscriptRow> {
    return tx.transcript.create({ data: transcript });
  }

  transcriptsByIds(
    ids: readonly string[],
    ownerId: string,
    tx: Pick<MediaDatabase, 'transcript'> = this.database,
  ): Promise<TranscriptRow[]> {
    return tx.transcript.findMany({ where: { id: { in: [...ids] }, ownerId } });
  }

  /** Why the live session that makes a transcript has failed; null when it has not, and where there is no session. */
  async liveFailure(
    transcriptId: string,
    tx: Pick<MediaDatabase, 'liveSession'> = this.database,
  ): Promise<{ code: string; message: string } | null> {
    const select = { errorCode: true, errorMessage: true } as const;
    const found = await tx.liveSession.findUnique({ where: { transcriptId }, select });
    return found?.errorCode == null ? null : { code: found.errorCode, message: found.errorMessage ?? '' };
  }

  /** Newest first. */
  transcriptsOfMedia(mediaIds: readonly string[]): Promise<TranscriptRow[]> {
    return this.database.transcript.findMany({ where: { mediaId: { in: [...mediaIds] } }, orderBy: { id: 'desc' } });
  }

  /** The transcript as it is behind a correction. */
  raiseRevision(tx: MediaTransaction, id: string): Promise<TranscriptRow> {
    return tx.transcript.update({ where: { id }, data: { revision: { increment: 1 } } });
  }

  async segmentsByIds(ids: readonly string[], ownerId: string): Promise<SegmentRow[]> {
    const rows = await this.database.segment.findMany({
      where: { id: { in: [...ids] }, transcript: { ownerId } },
    });
    return rows.map(asSegmentRow);
  }

  /** In the order of the recording, behind the position `after`. */
  async segments(
    transcriptId: string,
    page: {
      take?: number;
      after?: number | null;
      fromMs?: number | null | undefined;
      toMs?: number | null | undefined;
      below?: number | null | undefined;
    } = {},
    tx: Pick<MediaDatabase, 'segment'> = this.database,
  ): Promise<SegmentRow[]> {
    const { take, after, fromMs, toMs, below } = page;
    const rows = await tx.segment.findMany({
      where: {
        transcriptId,
        ...(after == null ? {} : { position: { gt: after } }),
        ...(fromMs == null ? {} : { endMs: { gt: fromMs } }),
        ...(toMs == null ? {} : { startMs: { lt: toMs } }),
        ...(below == null ? {} : { confidence: { lt: below }, state: { not: 'EDITED' } }),
      },
      orderBy: { position: 'asc' },
      ...(take === undefined ? {} : { take }),
    });
    return rows.map(asSegmentRow);
  }

  /** The texts of several transcripts' segments, in the order of the recordings. */
  segmentTexts(transcriptIds: readonly string[]): Promise<{ transcriptId: string; text: string }[]> {
    return this.database.segment.findMany({
      where: { transcriptId: { in: [...transcriptIds] } },
      orderBy: { position: 'asc' },
      select: { transcriptId: true, text: true },
    });
  }

  async writeSegment(tx: MediaTransaction, { words, ...segment }: SegmentRow): Promise<void> {
    const data = { ...segment, words: words as unknown as Prisma.InputJsonArray };
    await tx.segment.upsert({ where: { id: segment.id }, create: data, update: data });
  }

  jobsByIds(ids: readonly string[], ownerId: string, tx: Pick<MediaDatabase, 'job'> = this.database): Promise<Job[]> {
    return tx.job.findMany({ where: { id: { in: [...ids] }, ownerId, kind: { in: [...MEDIA_JOB_KINDS] } } });
  }

  /** By job: those it needs, in the order in which they were made. */
  async neededJobs(jobIds: readonly string[]): Promise<Map<string, Job[]>> {
    const rows = await this.database.jobNeed.findMany({
      where: { jobId: { in: [...jobIds] } },
      include: { needed: true },
      orderBy: { neededId: 'asc' },
    });
    return new Map(jobIds.map((id) => [id, rows.filter((row) => row.jobId === id).map((row) => row.needed)]));
  }

  /** Jobs on one recording that have not ended. */
  unfinishedJobs(mediaId: string): Promise<Job[]> {
    return this.database.job.findMany({
      where: { subjectId: mediaId, kind: { in: [...MEDIA_JOB_KINDS] }, state: { notIn: [...FINAL_STATES] } },
    });
  }

  /** Jobs on one recording, newest first, behind the id `before`. */
  jobsOfMedia(mediaId: string, take: number, before: string | null): Promise<Job[]> {
    return this.database.job.findMany({
      where: {
        subjectId: mediaId,
        kind: { in: [...MEDIA_JOB_KINDS] },
        ...(before === null ? {} : { id: { lt: before } }),
      },
      orderBy: { id: 'desc' },
      take,
    });
  }

  /** What an earlier call of createMedia made: the recording, and the job that was begun in the same transaction. */
  async createdEarlier(
    tx: MediaTransaction,
    mediaId: string,
    withJob: boolean,
  ): Promise<{ media: MediaRow; job: Job | null }> {
    const media = await tx.media.findUniqueOrThrow({ where: { id: mediaId } });
    const oldest = { where: { subjectId: mediaId, kind: transcribeJob.kind }, orderBy: { id: 'asc' } } as const;
    return { media, job: withJob ? await tx.job.findFirst(oldest) : null };
  }
}

export function asSegmentRow({ createdAt: _createdAt, words, ...row }: Segment): SegmentRow {
  return { ...row, words: words as unknown as Word[] }; // only segments are written into this column
}

function libraryConditions({ search, kinds, hasTranscript, language }: LibraryFilter): Prisma.MediaWhereInput {
  const complete = { state: 'COMPLETE' } as const;
  return {
    ...(kinds == null ? {} : { kind: { in: [...kinds] } }),
    ...(search ? { OR: [{ title: like(search) }, { description: like(search) }, { tags: { has: search } }] } : {}),
    AND: [
      ...(hasTranscript == null ? [] : [{ transcripts: hasTranscript ? { some: complete } : { none: complete } }]),
      ...(language == null ? [] : [{ transcripts: { some: { ...complete, OR: inLanguage(language) } } }]),
    ],
  };
}

/** The tag itself and all more special ones (RFC 4647 §3.3.1); both are in their canonical form. */
function inLanguage(tag: string): Prisma.TranscriptWhereInput[] {
  return [{ language: tag }, { language: { startsWith: `${tag}-` } }];
}

/** `contains` becomes LIKE, in which `%` and `_` would stand for other characters. */
function like(text: string): Prisma.StringFilter {
  return { contains: text.replace(/[\\%_]/g, '\\$&'), mode: 'insensitive' };
}
