import { newId } from '../../platform/ids';
import type { Store } from './store';

const TEXTS = ['Clean water.', 'The child is well.', 'We speak.', 'Good morning.'];

/** A transcript under way, and the recording it belongs to. */
export interface Growing {
  transcriptId: string;
  mediaId: string;
}

/** Adds a recording and a transcript under way for each owner; answers them in the same order. */
export async function addTranscripts(store: Store, ownerIds: readonly string[]): Promise<Growing[]> {
  const rows = ownerIds.map((ownerId) => ({
    ownerId,
    mediaId: newId('med'),
    transcriptId: newId('trn'),
    jobId: newId('job'),
    fileId: newId('fil'),
  }));
  await store.query(
    `with row as (select * from jsonb_to_recordset($1) as r("ownerId" text, "mediaId" text, "transcriptId" text, "jobId" text, "fileId" text)),
          added as (insert into media.media (id, owner_id, file_id, kind, title, tags)
                    select "mediaId", "ownerId", "fileId", 'AUDIO', 'Chaos', '{}' from row on conflict do nothing)
     insert into media.transcript (id, owner_id, media_id, job_id, language, engine)
     select "transcriptId", "ownerId", "mediaId", "jobId", 'en', 'chaos' from row on conflict do nothing`,
    [JSON.stringify(rows)],
  );
  return rows.map(({ transcriptId, mediaId }) => ({ transcriptId, mediaId }));
}

/**
 * Grows all transcripts by the segment at `position`: rows and events in one transaction. Doing it twice does nothing
 * the second time, because who finds the row there does not append.
 */
export async function addSegment(store: Store, transcriptIds: readonly string[], position: number): Promise<void> {
  const segments = [...transcriptIds].sort().map((transcriptId) => ({
    id: newId('seg'),
    transcriptId,
    position,
    revision: 1,
    startMs: position * 1_000,
    endMs: position * 1_000 + 900,
    text: TEXTS[position % TEXTS.length]!,
    confidence: null,
    language: 'en',
    words: [],
  }));
  await store.query(
    `with added as (
       insert into media.segment (id, transcript_id, position, revision, start_ms, end_ms, text, language, words)
       select s->>'id', s->>'transcriptId', (s->>'position')::int, 1, (s->>'startMs')::int, (s->>'endMs')::int,
              s->>'text', s->>'language', '[]'::jsonb
         from jsonb_array_elements($1) s on conflict do nothing returning id, transcript_id)
     select platform.append_event('transcript:' || transcript_id, jsonb_build_object('type', 'segment.changed', 'segment', s))
       from added join jsonb_array_elements($1) s on s->>'id' = id`,
    [JSON.stringify(segments)],
  );
}

/** Ends all transcripts: their streams complete behind this event. */
export async function finishTranscripts(store: Store, transcriptIds: readonly string[]): Promise<void> {
  const end = { type: 'transcript.finished', state: 'COMPLETE', error: null, removedSegmentIds: [] };
  await store.query(
    `with ended as (update media.transcript set state = 'COMPLETE' where id = any($1) and state = 'TRANSCRIBING' returning id)
     select platform.append_event('transcript:' || id, $2::jsonb) from (select id from ended order by id) e`,
    [transcriptIds, JSON.stringify(end)],
  );
}
