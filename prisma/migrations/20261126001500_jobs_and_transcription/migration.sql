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
ADD COLUMN     "size" BIGINT;

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



-- What is found in a text: its words as they are written, in English stems as well ("running" finds "run"). Any language
-- is searched by whole words, because only of English the language is always told right. Immutable, for the indexes.
CREATE FUNCTION "media"."text_vector"("p_language" text, "p_text" text) RETURNS tsvector
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN to_tsvector('pg_catalog.simple'::regconfig, "p_text")
    || CASE WHEN lower("p_language") ~ '^en(-|$)' THEN to_tsvector('pg_catalog.english'::regconfig, "p_text") ELSE ''::tsvector END;

-- What is found in what is said about a recording; the title counts most. Its language is not known, so English may apply.
CREATE FUNCTION "media"."about_vector"("p_title" text, "p_description" text, "p_artist" text, "p_tags" text[]) RETURNS tsvector
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN setweight("media"."text_vector"('en', "p_title"), 'A')
    || setweight("media"."text_vector"('en', coalesce("p_artist", '') || ' ' || array_to_string(coalesce("p_tags", '{}'), ' ')), 'B')
    || setweight("media"."text_vector"('en', coalesce("p_description", '')), 'C');

-- Prisma does not see indexes of expressions.
CREATE INDEX "segment_search_idx" ON "media"."segment" USING gin ("media"."text_vector"("language", "text"));
CREATE INDEX "media_search_idx" ON "media"."media" USING gin ("media"."about_vector"("title", "description", "artist", "tags"));
