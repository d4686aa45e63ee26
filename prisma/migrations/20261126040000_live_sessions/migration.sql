-- CreateEnum
CREATE TYPE "media"."live_state" AS ENUM ('WAITING', 'LIVE', 'PAUSED', 'ENDING', 'ENDED', 'FAILED');

-- CreateEnum
CREATE TYPE "media"."live_encoding" AS ENUM ('PCM_S16LE', 'CONTAINER');

-- AlterTable
ALTER TABLE "media"."segment" ADD COLUMN     "stable_words" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "turn_end" BOOLEAN;

-- AlterTable
ALTER TABLE "media"."transcript" ADD COLUMN     "owner_id" TEXT,
ALTER COLUMN "media_id" DROP NOT NULL,
ALTER COLUMN "job_id" DROP NOT NULL;
UPDATE "media"."transcript" t SET "owner_id" = m."owner_id" FROM "media"."media" m WHERE m."id" = t."media_id";
ALTER TABLE "media"."transcript" ALTER COLUMN "owner_id" SET NOT NULL;

-- CreateTable
CREATE TABLE "media"."live_session" (
    "id" TEXT NOT NULL,
    "owner_id" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "state" "media"."live_state" NOT NULL DEFAULT 'WAITING',
    "transcript_id" TEXT NOT NULL,
    "media_id" TEXT,
    "encoding" "media"."live_encoding" NOT NULL,
    "sample_rate" INTEGER NOT NULL,
    "endpointing_ms" INTEGER NOT NULL,
    "record" BOOLEAN NOT NULL,
    "refine" BOOLEAN NOT NULL,
    "error_code" TEXT,
    "error_message" TEXT,
    "acknowledged_sequence" INTEGER NOT NULL DEFAULT 0,
    "stored_rows" INTEGER NOT NULL DEFAULT 0,
    "stored_bytes" BIGINT NOT NULL DEFAULT 0,
    "heard_bytes" BIGINT NOT NULL DEFAULT 0,
    "is_complete" BOOLEAN NOT NULL DEFAULT false,
    "used_token" TEXT NOT NULL DEFAULT '',
    "writer" INTEGER NOT NULL DEFAULT 0,
    "writer_seen_at" TIMESTAMPTZ(3),
    "last_audio_at" TIMESTAMPTZ(3),
    "worker_id" TEXT,
    "epoch" INTEGER NOT NULL DEFAULT 0,
    "checkpoint" JSONB,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "started_at" TIMESTAMPTZ(3),
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "live_session_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "media"."live_audio" (
    "session_id" TEXT NOT NULL,
    "row" INTEGER NOT NULL,
    "from_byte" BIGINT NOT NULL,
    "bytes" BYTEA NOT NULL,
    "last_sequence" INTEGER NOT NULL,
    "flush" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "live_audio_pkey" PRIMARY KEY ("session_id","row")
);
-- Sound does not get smaller: trying costs only time.
ALTER TABLE "media"."live_audio" ALTER COLUMN "bytes" SET STORAGE EXTERNAL;

-- CreateTable
CREATE TABLE "media"."live_worker" (
    "id" TEXT NOT NULL,
    "places" INTEGER NOT NULL,
    "seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "live_worker_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "live_session_transcript_id_key" ON "media"."live_session"("transcript_id");

-- CreateIndex
CREATE UNIQUE INDEX "live_session_media_id_key" ON "media"."live_session"("media_id");

-- CreateIndex
CREATE INDEX "live_session_owner_id_id_idx" ON "media"."live_session"("owner_id", "id" DESC);

-- CreateIndex
CREATE INDEX "live_session_state_idx" ON "media"."live_session"("state");

-- AddForeignKey
ALTER TABLE "media"."live_session" ADD CONSTRAINT "live_session_transcript_id_fkey" FOREIGN KEY ("transcript_id") REFERENCES "media"."transcript"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "media"."live_session" ADD CONSTRAINT "live_session_media_id_fkey" FOREIGN KEY ("media_id") REFERENCES "media"."media"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "media"."live_audio" ADD CONSTRAINT "live_audio_session_id_fkey" FOREIGN KEY ("session_id") REFERENCES "media"."live_session"("id") ON DELETE CASCADE ON UPDATE CASCADE;
