import { Prisma } from '../../../platform/database/prisma-client/client';
import type { LibraryFilter, MediaDatabase } from '../records';
import type { Word } from '../transcriber/transcriber';
import { alternativesOf } from './quoted-parts';

/** Where a page begins: behind this hit. Ids of one score are in the order in which the rows were made. */
export interface SearchKey {
  score: number;
  id: string;
}

/** A hit with the text it is in. */
export interface FoundText extends SearchKey {
  mediaId: string;
  /** Null for a hit in what is said about the recording. */
  segment: { id: string; startMs: number; endMs: number; words: Word[]; text: string } | null;
  /** The text with each word that was looked for between U+0001 and U+0002: by English stems, and as written. */
  stemmed: string;
  written: string;
}

interface Row extends SearchKey {
  mediaId: string;
  segmentId: string | null;
  startMs: number | null;
  endMs: number | null;
  words: Word[] | null;
  text: string;
  stemmed: string;
  written: string;
}

/** The whole text; the marks are characters that no stored text holds. */
const HEADLINE = 'StartSel=\u0001, StopSel=\u0002, HighlightAll=true';

/**
 * Ranking a text takes some 50 µs, so a word that is said everywhere is ranked in the newest of its segments only: in a
 * library of 1,000 recordings with 200,000 segments that all hold it, this takes 0.9 s in place of 13.
 */
const MAX_RANKED = 5_000;

/** The queries of the search. */
export class SearchRecords {
  constructor(private readonly database: MediaDatabase) {}

  /** Whether there is a word to look for: not only signs, and not only words that must not occur. */
  async canFind(query: string): Promise<boolean> {
    const [row] = await this.database.momentOf(
      (tx) => tx.$queryRaw<{ tree: string }[]>`select querytree(websearch_to_tsquery('simple', ${query})) tree`,
    );
    return row!.tree !== '' && row!.tree !== 'T';
  }

  /** The best hits behind `after` in what belongs to the owner. */
  async find(
    ownerId: string,
    query: string,
    filter: LibraryFilter,
    page: { take: number; after: SearchKey | null },
  ): Promise<FoundText[]> {
    const rows = await this.database.momentOf(async (tx) => {
      // For a word that is nearly everywhere the planner would take each text apart again instead of reading the index.
      await tx.$executeRaw`set local enable_seqscan = off`;
      return tx.$queryRaw<Row[]>(searchQuery(ownerId, query, filter, page));
    });
    return rows.map(({ segmentId, startMs, endMs, words, ...row }) => ({
      ...row,
      segment:
        segmentId === null
          ? null
          : { id: segmentId, startMs: startMs!, endMs: endMs!, words: words ?? [], text: row.text },
    }));
  }
}

/** Only the texts of the page are marked, because that takes longer than finding them. */
export function searchQuery(
  ownerId: string,
  query: string,
  filter: LibraryFilter,
  { take, after }: { take: number; after: SearchKey | null },
): Prisma.Sql {
  const wanted = wantedIn(query);
  const mine = Prisma.sql`m.owner_id = ${ownerId} ${conditions(filter)}`;
  const about = Prisma.sql`media.about_vector(m.title, m.description, m.artist, m.tags)`;
  const said = Prisma.sql`media.text_vector(s.language, s.text)`;
  const behind = after
    ? Prisma.sql`where score < ${after.score} or (score = ${after.score} and id > ${after.id} collate "C")`
    : Prisma.empty;
  return Prisma.sql`
    with newest as materialized (
      select distinct on (t.media_id) t.id, t.media_id
        from media.transcript t join media.media m on m.id = t.media_id
       where t.state = 'COMPLETE' and ${mine} order by t.media_id, t.id desc),
    found as materialized (
      select s.id, n.media_id from media.segment s join newest n on n.id = s.transcript_id where ${said} @@ ${wanted}),
    ranked as (select * from found order by id collate "C" desc limit ${MAX_RANKED}),
    hits as (
      select m.id, m.id media_id, ts_rank_cd(${about}, ${wanted})::float8 score
        from media.media m where ${mine} and ${about} @@ ${wanted}
      union all
      select s.id, r.media_id, ts_rank_cd(${said}, ${wanted})::float8 score
        from ranked r join media.segment s on s.id = r.id),
    page as (select * from hits ${behind} order by score desc, id collate "C" limit ${take}),
    texts as (
      select p.*, s.id segment_id, s.start_ms, s.end_ms, s.words, coalesce(s.text, concat_ws(' · ',
             m.title, m.artist, nullif(array_to_string(m.tags, ', '), ''), m.description)) as text
        from page p join media.media m on m.id = p.media_id left join media.segment s on s.id = p.id)
    select id, media_id "mediaId", score, segment_id "segmentId", start_ms "startMs", end_ms "endMs", words, text,
           ts_headline('english', text, ${wanted}, ${HEADLINE}) stemmed,
           ts_headline('simple', text, ${wanted}, ${HEADLINE}) written
      from texts order by score desc, id collate "C"`;
}

/**
 * English knows other forms of a word, but no words like "the": so phrases are looked for as they are written, words both
 * ways.
 */
function wantedIn(query: string): Prisma.Sql {
  const alternatives = query.includes('"') ? alternativesOf(query) : [{ words: query, phrases: [] }];
  const parts = alternatives.map(({ words, phrases }) => {
    const all = [Prisma.sql`(websearch_to_tsquery('simple', ${words}) || websearch_to_tsquery('english', ${words}))`];
    for (const { text, isExcluded } of phrases) {
      all.push(Prisma.sql`websearch_to_tsquery('simple', ${`${isExcluded ? '-' : ''}"${text}"`})`);
    }
    return Prisma.sql`(${Prisma.join(all, ' && ')})`;
  });
  return Prisma.sql`(${Prisma.join(parts, ' || ')})`;
}

function conditions({ kinds, hasTranscript, language }: LibraryFilter): Prisma.Sql {
  const complete = Prisma.sql`select 1 from media.transcript c where c.media_id = m.id and c.state = 'COMPLETE'`;
  const parts = [
    ...(kinds == null ? [] : [Prisma.sql`and m.kind::text = any(${[...kinds]})`]),
    ...(hasTranscript == null ? [] : [Prisma.sql`and exists (${complete}) = ${hasTranscript}`]),
    ...(language == null
      ? []
      : [Prisma.sql`and exists (${complete} and lower(c.language) || '-' like lower(${`${language}-%`}))`]),
  ];
  return parts.length === 0 ? Prisma.empty : Prisma.join(parts, ' ');
}
