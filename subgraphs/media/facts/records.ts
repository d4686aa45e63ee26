import { Prisma } from '../../../platform/database/prisma-client/client';
import type { MediaDatabase, MediaRow, MediaTransaction } from '../records';
import type { ProbeSummary } from './describe-probe';

/** What the headers and tags of a recording say; nulls where they are silent. */
export interface MediaDetails {
  /** Null when the file cannot be read. */
  probe: ProbeSummary | null;
  durationMs: number | null;
  artist: string | null;
  album: string | null;
}

/** Every query about what was found in the bytes of recordings. */
export class FactRecords {
  constructor(private readonly database: MediaDatabase) {}

  transaction<Result>(work: (tx: MediaTransaction) => Promise<Result>): Promise<Result> {
    return this.database.transaction(work);
  }

  /** By the id of the recording; those that were looked at only. */
  async details(mediaIds: readonly string[]): Promise<Map<string, MediaDetails>> {
    const rows = await this.database.mediaFacts.findMany({
      where: { mediaId: { in: [...mediaIds] }, probeKnown: true },
      select: { mediaId: true, probe: true, media: { select: { durationMs: true, artist: true, album: true } } },
    });
    // Only `keepDetails` writes the column.
    const asDetails = ({ probe, media }: (typeof rows)[number]): MediaDetails => ({
      ...media,
      probe: probe as unknown as ProbeSummary | null,
    });
    return new Map(rows.map((row) => [row.mediaId, asDetails(row)]));
  }

  /** Keeps what was found; what somebody has given or a job has measured stays. Answers the recording as it is then. */
  keepDetails(
    mediaId: string,
    { probe, durationMs, artist, album }: MediaDetails,
    kind: MediaRow['kind'] | null,
  ): Promise<MediaDetails> {
    return this.database.transaction(async (tx) => {
      await tx.$executeRaw`update media.media set
        duration_ms = coalesce(duration_ms, ${durationMs}::int),
        artist = coalesce(artist, ${artist}::text),
        album = coalesce(album, ${album}::text),
        kind = coalesce(${kind}::text::media.media_kind, kind)
        where id = ${mediaId}`;
      const found = { probe: (probe as unknown as Prisma.InputJsonObject | null) ?? Prisma.DbNull, probeKnown: true };
      await tx.mediaFacts.upsert({ where: { mediaId }, create: { mediaId, ...found }, update: found });
      const media = await tx.media.findUniqueOrThrow({ where: { id: mediaId } });
      return { probe, durationMs: media.durationMs, artist: media.artist, album: media.album };
    });
  }

  /** The id of the embedded picture's file, null when there is none; undefined while nobody has looked. */
  async cover(mediaId: string): Promise<string | null | undefined> {
    const row = await this.database.mediaFacts.findUnique({ where: { mediaId, coverKnown: true } });
    return row ? row.coverFileId : undefined;
  }

  /** Keeps the first answer only. Answers whether this was it; another transaction's is waited for. */
  async keepCover(mediaId: string, fileId: string | null, tx: Pick<MediaTransaction, '$executeRaw'>): Promise<boolean> {
    const kept = await tx.$executeRaw`insert into media.media_facts (media_id, cover_file_id, cover_known)
      values (${mediaId}, ${fileId}, true)
      on conflict (media_id) do update set cover_file_id = excluded.cover_file_id, cover_known = true
      where not media_facts.cover_known`;
    return kept === 1;
  }

  /** One byte for each tenth of a second, null when there is no sound; undefined while nobody has listened. */
  async peaks(mediaId: string): Promise<Uint8Array | null | undefined> {
    const row = await this.database.mediaFacts.findUnique({ where: { mediaId, peaksKnown: true } });
    return row ? row.peaks : undefined;
  }

  async keepPeaks(mediaId: string, bytes: Buffer | null): Promise<void> {
    const found = { peaks: bytes && new Uint8Array(bytes), peaksKnown: true };
    await this.database.mediaFacts.upsert({ where: { mediaId }, create: { mediaId, ...found }, update: found });
  }

  async derivedFile(mediaId: string, key: string): Promise<string | null> {
    const row = await this.database.derivedFile.findUnique({ where: { mediaId_key: { mediaId, key } } });
    return row?.fileId ?? null;
  }

  async keepDerivedFile(tx: MediaTransaction, file: { mediaId: string; key: string; fileId: string }): Promise<void> {
    await tx.derivedFile.create({ data: file });
  }
}
