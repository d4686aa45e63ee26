-- CreateEnum
CREATE TYPE "media"."transcode_preset" AS ENUM ('MP3', 'OPUS', 'WAV_16K', 'MP4_720P', 'MP4_1080P', 'WEBM', 'HLS');

-- CreateEnum
CREATE TYPE "media"."segment_state" AS ENUM ('PARTIAL', 'FINAL', 'EDITED');

-- AlterEnum
ALTER TYPE "platform"."job_state" ADD VALUE 'WAITING';

-- AlterTable
ALTER TABLE "media"."media" ADD COLUMN     "album" TEXT,
ADD COLUMN     "artist" TEXT;

-- AlterTable
ALTER TABLE "media"."segment" ADD COLUMN     "channel" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "speaker_id" TEXT,
ADD COLUMN     "state" "media"."segment_state" NOT NULL DEFAULT 'FINAL';

-- AlterTable
ALTER TABLE "media"."transcript" ADD COLUMN     "checkpoint" JSONB,
ADD COLUMN     "language_confidence" DOUBLE PRECISION,
ADD COLUMN     "options" JSONB NOT NULL DEFAULT '{}',
ADD COLUMN     "revision" INTEGER NOT NULL DEFAULT 1;

-- AlterTable
ALTER TABLE "platform"."object" ADD COLUMN     "part_of" TEXT;

-- AlterTable
ALTER TABLE "platform"."job" ADD COLUMN     "attempt_started_at" TIMESTAMPTZ(3),
ADD COLUMN     "call_id" TEXT,
ADD COLUMN     "attempts_given" INTEGER NOT NULL DEFAULT 3,
ADD COLUMN     "handed_at" TIMESTAMPTZ(3),
ADD COLUMN     "losses" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "lost_worker_id" TEXT,
ADD COLUMN     "size" BIGINT,
ADD COLUMN     "worker_id" TEXT;

-- AlterTable: what the queue holds from before is found by the sweep, which hands it over again.
UPDATE "platform"."job" SET "handed_at" = "created_at" WHERE "state" IN ('QUEUED', 'RUNNING', 'CANCELING');
ALTER TABLE "platform"."job_outbox" ADD COLUMN     "owner_id" TEXT,
ADD COLUMN     "priority" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "taken_at" TIMESTAMPTZ(3);
UPDATE "platform"."job_outbox" o SET "owner_id" = j."owner_id", "priority" = j."priority" FROM "platform"."job" j WHERE j."id" = o."job_id";
DELETE FROM "platform"."job_outbox" WHERE "owner_id" IS NULL;
ALTER TABLE "platform"."job_outbox" ALTER COLUMN "owner_id" SET NOT NULL;

-- CreateTable
CREATE TABLE "media"."media_facts" (
    "media_id" TEXT NOT NULL,
    "probe" JSONB,
    "probe_known" BOOLEAN NOT NULL DEFAULT false,
    "cover_file_id" TEXT,
    "cover_known" BOOLEAN NOT NULL DEFAULT false,
    "peaks" BYTEA,
    "peaks_known" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "media_facts_pkey" PRIMARY KEY ("media_id")
);

-- CreateTable
CREATE TABLE "media"."derived_file" (
    "media_id" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "file_id" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "derived_file_pkey" PRIMARY KEY ("media_id","key")
);

-- CreateTable
CREATE TABLE "media"."rendition" (
    "id" TEXT NOT NULL,
    "media_id" TEXT NOT NULL,
    "job_id" TEXT NOT NULL,
    "preset" "media"."transcode_preset" NOT NULL,
    "mime_type" TEXT NOT NULL,
    "width" INTEGER,
    "height" INTEGER,
    "bitrate" INTEGER,
    "duration_ms" INTEGER,
    "file_id" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "rendition_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "media"."lineage" (
    "output_id" TEXT NOT NULL,
    "media_id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "input_ids" TEXT[],
    "engine" TEXT NOT NULL,
    "engine_version" TEXT NOT NULL,
    "settings" JSONB NOT NULL,
    "settings_hash" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "lineage_pkey" PRIMARY KEY ("output_id")
);

-- CreateTable
CREATE TABLE "media"."speaker" (
    "id" TEXT NOT NULL,
    "transcript_id" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "label" TEXT NOT NULL,
    "user_id" TEXT,

    CONSTRAINT "speaker_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "media"."transcript_translation" (
    "id" TEXT NOT NULL,
    "transcript_id" TEXT NOT NULL,
    "job_id" TEXT NOT NULL,
    "language" TEXT NOT NULL,
    "engine" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "transcript_translation_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "media"."segment_translation" (
    "translation_id" TEXT NOT NULL,
    "segment_id" TEXT NOT NULL,
    "segment_revision" INTEGER NOT NULL,
    "text" TEXT NOT NULL,

    CONSTRAINT "segment_translation_pkey" PRIMARY KEY ("translation_id","segment_id")
);

-- CreateTable
CREATE TABLE "platform"."job_need" (
    "job_id" TEXT NOT NULL,
    "needed_id" TEXT NOT NULL,

    CONSTRAINT "job_need_pkey" PRIMARY KEY ("job_id","needed_id")
);

-- AlterTable
ALTER TABLE "notification"."notification" ADD COLUMN     "occasion" INTEGER NOT NULL DEFAULT 0;

-- DropIndex
DROP INDEX "notification"."notification_owner_id_topic_job_id_key";

-- CreateIndex
CREATE UNIQUE INDEX "notification_owner_id_topic_job_id_occasion_key" ON "notification"."notification"("owner_id", "topic", "job_id", "occasion");

-- CreateIndex
CREATE UNIQUE INDEX "object_part_of_name_key" ON "platform"."object"("part_of", "name");

-- CreateIndex
CREATE UNIQUE INDEX "rendition_job_id_key" ON "media"."rendition"("job_id");

-- CreateIndex
CREATE INDEX "rendition_media_id_id_idx" ON "media"."rendition"("media_id", "id" DESC);

-- CreateIndex
CREATE INDEX "lineage_media_id_created_at_idx" ON "media"."lineage"("media_id", "created_at" DESC);

-- CreateIndex
CREATE UNIQUE INDEX "speaker_transcript_id_key_key" ON "media"."speaker"("transcript_id", "key");

-- CreateIndex
CREATE INDEX "segment_speaker_id_idx" ON "media"."segment"("speaker_id");

-- CreateIndex
CREATE INDEX "transcript_translation_job_id_idx" ON "media"."transcript_translation"("job_id");

-- CreateIndex
CREATE UNIQUE INDEX "transcript_translation_transcript_id_language_key" ON "media"."transcript_translation"("transcript_id", "language");

-- CreateIndex
CREATE INDEX "segment_translation_segment_id_idx" ON "media"."segment_translation"("segment_id");

-- CreateIndex
CREATE INDEX "job_need_needed_id_idx" ON "platform"."job_need"("needed_id");

-- CreateIndex
CREATE INDEX "job_owner_id_state_handed_at_idx" ON "platform"."job"("owner_id", "state", "handed_at");

-- CreateIndex
CREATE INDEX "job_lost_worker_id_idx" ON "platform"."job"("lost_worker_id");

-- CreateIndex
CREATE INDEX "job_call_id_idx" ON "platform"."job"("call_id");

-- CreateIndex
CREATE INDEX "job_outbox_owner_id_priority_job_id_idx" ON "platform"."job_outbox"("owner_id", "priority" DESC, "job_id");

-- CreateIndex
CREATE INDEX "job_kind_state_finished_at_idx" ON "platform"."job"("kind", "state", "finished_at" DESC);

-- AddForeignKey
ALTER TABLE "media"."media_facts" ADD CONSTRAINT "media_facts_media_id_fkey" FOREIGN KEY ("media_id") REFERENCES "media"."media"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "media"."derived_file" ADD CONSTRAINT "derived_file_media_id_fkey" FOREIGN KEY ("media_id") REFERENCES "media"."media"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "media"."rendition" ADD CONSTRAINT "rendition_media_id_fkey" FOREIGN KEY ("media_id") REFERENCES "media"."media"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "media"."lineage" ADD CONSTRAINT "lineage_media_id_fkey" FOREIGN KEY ("media_id") REFERENCES "media"."media"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "media"."speaker" ADD CONSTRAINT "speaker_transcript_id_fkey" FOREIGN KEY ("transcript_id") REFERENCES "media"."transcript"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "media"."transcript_translation" ADD CONSTRAINT "transcript_translation_transcript_id_fkey" FOREIGN KEY ("transcript_id") REFERENCES "media"."transcript"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "media"."segment_translation" ADD CONSTRAINT "segment_translation_translation_id_fkey" FOREIGN KEY ("translation_id") REFERENCES "media"."transcript_translation"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "media"."segment_translation" ADD CONSTRAINT "segment_translation_segment_id_fkey" FOREIGN KEY ("segment_id") REFERENCES "media"."segment"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "media"."segment" ADD CONSTRAINT "segment_speaker_id_fkey" FOREIGN KEY ("speaker_id") REFERENCES "media"."speaker"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "platform"."job_need" ADD CONSTRAINT "job_need_job_id_fkey" FOREIGN KEY ("job_id") REFERENCES "platform"."job"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "platform"."job_need" ADD CONSTRAINT "job_need_needed_id_fkey" FOREIGN KEY ("needed_id") REFERENCES "platform"."job"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- A place became free: the dispatchers look whether the owner has something to put there.
CREATE TRIGGER "job_end_notify" AFTER UPDATE OF "state" ON "platform"."job"
  FOR EACH ROW WHEN (NEW."state" IN ('SUCCEEDED', 'FAILED', 'CANCELED') AND OLD."state" IS DISTINCT FROM NEW."state")
  EXECUTE FUNCTION "platform"."notify_outbox"();

-- Takes due jobs to be handed to the queue, of each owner the most urgent and then the oldest, but only while fewer than
-- p_limit of that owner's have been handed over and not ended. Jobs that were taken p_retake_ms ago and not confirmed are
-- taken again, and so are those handed over before whose priority has changed (is_again). All of it is one call on the
-- server: dispatchers that run at once do not exceed the limit, and one that freezes or dies holds no lock.
CREATE FUNCTION "platform"."take_due_jobs"("p_limit" int, "p_batch" int, "p_retake_ms" int)
RETURNS TABLE ("id" text, "attempt" int, "priority" int, "taken_at" timestamptz, "is_again" boolean) LANGUAGE plpgsql AS $$
BEGIN
  -- If the server crashes, what comes after this in its log is lost too: the entries are there again, and are taken again.
  PERFORM set_config('synchronous_commit', 'off', true);
  -- Held to the end of this call; the statement behind it sees what the callers before have taken.
  PERFORM pg_advisory_xact_lock(hashtext('sauti:take_due_jobs'));
  RETURN QUERY
  WITH RECURSIVE
    "owner" AS (
      SELECT min(o."owner_id") AS "id" FROM "platform"."job_outbox" o
      UNION ALL
      SELECT (SELECT min(o."owner_id") FROM "platform"."job_outbox" o WHERE o."owner_id" > "owner"."id")
        FROM "owner" WHERE "owner"."id" IS NOT NULL
    ),
    -- Found by the owners' jobs that are handed over, which are few, not by the line, which may be long.
    "again" AS (
      SELECT j."id", 0::bigint AS "rank" FROM "owner"
        JOIN "platform"."job" j ON j."owner_id" = "owner"."id" AND j."state" = 'QUEUED' AND j."handed_at" IS NOT NULL
        JOIN "platform"."job_outbox" o ON o."job_id" = j."id"
       WHERE o."taken_at" IS NULL OR o."taken_at" < now() - "p_retake_ms" * interval '1 millisecond'
    ),
    "next" AS (
      SELECT "due"."id", "due"."rank" FROM "owner" CROSS JOIN LATERAL (
        SELECT j."id", row_number() OVER (ORDER BY o."priority" DESC, o."job_id") AS "rank"
          FROM "platform"."job_outbox" o JOIN "platform"."job" j ON j."id" = o."job_id"
         WHERE o."owner_id" = "owner"."id" AND o."run_at" <= now() AND j."state" = 'QUEUED' AND j."handed_at" IS NULL
         ORDER BY o."priority" DESC, o."job_id"
         LIMIT greatest(0, "p_limit" - (
           SELECT count(*) FROM "platform"."job" b WHERE b."owner_id" = "owner"."id"
              AND b."state" IN ('QUEUED', 'RUNNING', 'CANCELING') AND b."handed_at" IS NOT NULL))
      ) "due"
    ),
    "chosen" AS (
      SELECT c."id", c."rank" FROM (SELECT * FROM "again" UNION ALL SELECT * FROM "next") c ORDER BY c."rank" LIMIT "p_batch"
    ),
    -- Somebody who is just changing such a job is not waited for, because everybody else waits here.
    "locked" AS (
      SELECT j."id", "chosen"."rank" FROM "chosen" JOIN "platform"."job" j ON j."id" = "chosen"."id"
       WHERE j."state" = 'QUEUED' FOR NO KEY UPDATE OF j SKIP LOCKED
    ),
    "taken" AS (
      UPDATE "platform"."job_outbox" o SET "taken_at" = now() FROM "locked" WHERE o."job_id" = "locked"."id"
      RETURNING o."job_id", o."taken_at", "locked"."rank"
    ),
    "handed" AS (
      UPDATE "platform"."job" j SET "handed_at" = now() FROM "taken" WHERE j."id" = "taken"."job_id"
      RETURNING j."id", j."attempt", j."priority", "taken"."taken_at", "taken"."rank"
    )
  SELECT h."id", h."attempt", h."priority", h."taken_at"::timestamptz, h."rank" = 0 FROM "handed" h
   ORDER BY h."rank", h."priority" DESC, h."id";
END
$$;

-- What is found in a text: its words as they are written, in English their stems as well ("running" finds "run").
-- Not in SQL, because the planner would put its body in place of the call, which no index is of; dear, so that it takes the index.
CREATE FUNCTION "media"."text_vector"("p_language" text, "p_text" text) RETURNS tsvector
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1000 AS $$
BEGIN
  IF lower("p_language") ~ '^en(-|$)' THEN
    RETURN to_tsvector('pg_catalog.simple', "p_text") || to_tsvector('pg_catalog.english', "p_text");
  END IF;
  RETURN to_tsvector('pg_catalog.simple', "p_text");
END
$$;

-- What is found in what is said about a recording; the title counts most. Its language is not known, so English may apply.
CREATE FUNCTION "media"."about_vector"("p_title" text, "p_description" text, "p_artist" text, "p_tags" text[]) RETURNS tsvector
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1000 AS $$
BEGIN
  RETURN setweight("media"."text_vector"('en', "p_title"), 'A')
    || setweight("media"."text_vector"('en', concat_ws(' ', "p_artist", array_to_string("p_tags", ' '))), 'B')
    || setweight("media"."text_vector"('en', coalesce("p_description", '')), 'C');
END
$$;

-- Prisma does not see indexes of expressions.
CREATE INDEX "segment_search_idx" ON "media"."segment" USING gin ("media"."text_vector"("language", "text"));
CREATE INDEX "media_search_idx" ON "media"."media" USING gin ("media"."about_vector"("title", "description", "artist", "tags"));

-- Starts a job for a worker that the queue has given the entry of job p_ticket, attempt p_attempt, and answers its row; none
-- when nothing is to run. An entry means "this owner's turn": docs/decisions/0018 says what follows from that. A worker that
-- asks for p_apart is given no job that has lost two workers.
CREATE FUNCTION "platform"."claim_job"("p_ticket" text, "p_attempt" int, "p_worker" text, "p_apart" boolean)
RETURNS SETOF "platform"."job" LANGUAGE plpgsql AS $$
DECLARE
  "v_owner" text;
  "v_priority" int; -- of the entry's own job; NULL when that does not wait for this entry any more
  "v_id" text;
  "v_is_handed" boolean;
BEGIN
  LOOP
    SELECT j."owner_id", CASE WHEN j."state" = 'QUEUED' AND j."handed_at" IS NOT NULL AND j."attempt" = "p_attempt" - 1
                              THEN j."priority" END
      INTO "v_owner", "v_priority" FROM "platform"."job" j WHERE j."id" = "p_ticket";
    IF NOT FOUND THEN RETURN; END IF;
    SELECT c."id", c."is_handed" INTO "v_id", "v_is_handed" FROM (
      (SELECT j."id", j."priority", true AS "is_handed" FROM "platform"."job" j
        WHERE j."owner_id" = "v_owner" AND j."state" = 'QUEUED' AND j."handed_at" IS NOT NULL
          AND NOT ("p_apart" AND j."losses" >= 2))
      UNION ALL
      (SELECT j."id", j."priority", false FROM "platform"."job_outbox" o JOIN "platform"."job" j ON j."id" = o."job_id"
        WHERE o."owner_id" = "v_owner" AND o."priority" > "v_priority" AND o."run_at" <= now()
          AND j."state" = 'QUEUED' AND j."handed_at" IS NULL AND NOT ("p_apart" AND j."losses" >= 2)
        ORDER BY o."priority" DESC, o."job_id" LIMIT 1)
    ) c ORDER BY c."priority" DESC, c."is_handed" DESC, c."id" LIMIT 1;
    EXIT WHEN "v_id" IS NULL;
    -- Another worker may have been faster: look again.
    PERFORM 1 FROM "platform"."job" j WHERE j."id" = "v_id" AND j."state" = 'QUEUED'
        AND (j."handed_at" IS NOT NULL) = "v_is_handed" FOR NO KEY UPDATE;
    CONTINUE WHEN NOT FOUND;
    EXIT WHEN "v_is_handed";
    EXIT WHEN "platform"."put_job_back"("p_ticket", now());
  END LOOP;

  IF "v_id" IS NULL THEN
    -- What this entry would have run must have another one.
    PERFORM "platform"."put_job_back"(j."id", now() + interval '1 second') FROM "platform"."job" j
      WHERE j."owner_id" = "v_owner" AND j."state" = 'QUEUED' AND j."handed_at" IS NOT NULL
      ORDER BY j."id" = "p_ticket" DESC LIMIT 1;
    RETURN;
  END IF;

  DELETE FROM "platform"."job_outbox" WHERE "job_id" = "v_id";
  RETURN QUERY UPDATE "platform"."job" SET "state" = 'RUNNING', "attempt" = "attempt" + 1, "progress" = 0, "stage" = NULL,
         "error_code" = NULL, "error_message" = NULL, "error_retryable" = NULL, -- told only while a job waits for this attempt
         "expected_at" = NULL, "heartbeat_at" = now(), "attempt_started_at" = now(), "worker_id" = "p_worker",
         "started_at" = coalesce("started_at", now()), "handed_at" = coalesce("handed_at", now())
   WHERE "id" = "v_id" RETURNING *;
END
$$;

-- Moves a job that was handed to the queue back into the line of its owner; false when it has been started or ended.
CREATE FUNCTION "platform"."put_job_back"("p_id" text, "p_run_at" timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  UPDATE "platform"."job" SET "handed_at" = NULL WHERE "id" = "p_id" AND "state" = 'QUEUED' AND "handed_at" IS NOT NULL;
  IF NOT FOUND THEN RETURN false; END IF;
  INSERT INTO "platform"."job_outbox" ("job_id", "owner_id", "priority", "run_at")
    SELECT "id", "owner_id", "priority", "p_run_at" FROM "platform"."job" WHERE "id" = "p_id"
    ON CONFLICT ("job_id") DO UPDATE SET "run_at" = excluded."run_at", "taken_at" = NULL;
  RETURN true;
END
$$;
