-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "media";

-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "notification";

-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "platform";

-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "users";

-- CreateEnum
CREATE TYPE "media"."media_kind" AS ENUM ('AUDIO', 'VIDEO');

-- CreateEnum
CREATE TYPE "media"."transcript_state" AS ENUM ('TRANSCRIBING', 'COMPLETE', 'FAILED', 'CANCELED');

-- CreateEnum
CREATE TYPE "platform"."job_state" AS ENUM ('QUEUED', 'RUNNING', 'CANCELING', 'SUCCEEDED', 'FAILED', 'CANCELED');

-- CreateTable
CREATE TABLE "media"."media" (
    "id" TEXT NOT NULL,
    "owner_id" TEXT NOT NULL,
    "file_id" TEXT NOT NULL,
    "kind" "media"."media_kind" NOT NULL,
    "title" TEXT NOT NULL,
    "description" TEXT,
    "tags" TEXT[],
    "duration_ms" INTEGER,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "media_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "media"."transcript" (
    "id" TEXT NOT NULL,
    "media_id" TEXT NOT NULL,
    "job_id" TEXT NOT NULL,
    "language" TEXT NOT NULL,
    "engine" TEXT NOT NULL,
    "confidence" DOUBLE PRECISION,
    "duration_ms" INTEGER,
    "state" "media"."transcript_state" NOT NULL DEFAULT 'TRANSCRIBING',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "transcript_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "media"."segment" (
    "id" TEXT NOT NULL,
    "transcript_id" TEXT NOT NULL,
    "position" INTEGER NOT NULL,
    "revision" INTEGER NOT NULL DEFAULT 1,
    "start_ms" INTEGER NOT NULL,
    "end_ms" INTEGER NOT NULL,
    "text" TEXT NOT NULL,
    "confidence" DOUBLE PRECISION,
    "language" TEXT NOT NULL,
    "words" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "segment_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "notification"."notification" (
    "id" TEXT NOT NULL,
    "owner_id" TEXT NOT NULL,
    "topic" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "body" TEXT NOT NULL,
    "subject_id" TEXT,
    "job_id" TEXT,
    "seen_at" TIMESTAMPTZ(3),
    "read_at" TIMESTAMPTZ(3),
    "archived_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "notification_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "platform"."object" (
    "id" TEXT NOT NULL,
    "owner_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "mime_type" TEXT NOT NULL,
    "size_bytes" BIGINT NOT NULL,
    "sha256" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "object_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "platform"."job" (
    "id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "owner_id" TEXT NOT NULL,
    "subject_id" TEXT NOT NULL,
    "payload" JSONB NOT NULL,
    "state" "platform"."job_state" NOT NULL DEFAULT 'QUEUED',
    "stage" TEXT,
    "progress" DOUBLE PRECISION NOT NULL DEFAULT 0,
    "priority" INTEGER NOT NULL DEFAULT 0,
    "attempt" INTEGER NOT NULL DEFAULT 0,
    "max_attempts" INTEGER NOT NULL,
    "error_code" TEXT,
    "error_message" TEXT,
    "error_retryable" BOOLEAN,
    "heartbeat_at" TIMESTAMPTZ(3),
    "expected_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "started_at" TIMESTAMPTZ(3),
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "job_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "platform"."job_outbox" (
    "job_id" TEXT NOT NULL,
    "run_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "job_outbox_pkey" PRIMARY KEY ("job_id")
);

-- CreateTable
CREATE TABLE "platform"."event_topic" (
    "topic" TEXT NOT NULL,
    "seq" BIGINT NOT NULL,
    "floor" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "event_topic_pkey" PRIMARY KEY ("topic")
);

-- CreateTable
CREATE TABLE "platform"."event" (
    "topic" TEXT NOT NULL,
    "seq" BIGINT NOT NULL,
    "payload" JSONB NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT "event_pkey" PRIMARY KEY ("topic","seq")
);

-- CreateTable
CREATE TABLE "platform"."event_consumer" (
    "consumer" TEXT NOT NULL,
    "topic" TEXT NOT NULL,
    "seq" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "event_consumer_pkey" PRIMARY KEY ("consumer","topic")
);

-- CreateTable
CREATE TABLE "platform"."idempotency_key" (
    "owner_id" TEXT NOT NULL,
    "operation" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "input_hash" TEXT NOT NULL,
    "result_id" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "idempotency_key_pkey" PRIMARY KEY ("owner_id","operation","key")
);

-- CreateTable
CREATE TABLE "users"."user" (
    "id" TEXT NOT NULL,
    "email" TEXT NOT NULL,
    "email_key" TEXT NOT NULL,
    "password_hash" TEXT NOT NULL,
    "display_name" TEXT NOT NULL,
    "locale" TEXT NOT NULL,
    "time_zone" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "user_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "users"."session" (
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "device_name" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "session_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "users"."refresh_token" (
    "token_hash" TEXT NOT NULL,
    "session_id" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "used_at" TIMESTAMPTZ(3),

    CONSTRAINT "refresh_token_pkey" PRIMARY KEY ("token_hash")
);

-- CreateTable
CREATE TABLE "users"."signing_key" (
    "kid" TEXT NOT NULL,
    "private_key" TEXT NOT NULL,
    "public_jwk" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "signing_key_pkey" PRIMARY KEY ("kid")
);

-- CreateIndex
CREATE INDEX "media_owner_id_id_idx" ON "media"."media"("owner_id", "id" DESC);

-- CreateIndex
CREATE UNIQUE INDEX "transcript_job_id_key" ON "media"."transcript"("job_id");

-- CreateIndex
CREATE INDEX "transcript_media_id_id_idx" ON "media"."transcript"("media_id", "id" DESC);

-- CreateIndex
CREATE UNIQUE INDEX "segment_transcript_id_position_key" ON "media"."segment"("transcript_id", "position");

-- CreateIndex
CREATE INDEX "notification_owner_id_id_idx" ON "notification"."notification"("owner_id", "id" DESC);

-- CreateIndex
CREATE UNIQUE INDEX "notification_owner_id_topic_job_id_key" ON "notification"."notification"("owner_id", "topic", "job_id");

-- CreateIndex
CREATE INDEX "object_owner_id_id_idx" ON "platform"."object"("owner_id", "id" DESC);

-- CreateIndex
CREATE INDEX "job_owner_id_id_idx" ON "platform"."job"("owner_id", "id" DESC);

-- CreateIndex
CREATE INDEX "job_subject_id_id_idx" ON "platform"."job"("subject_id", "id" DESC);

-- CreateIndex
CREATE INDEX "job_state_heartbeat_at_idx" ON "platform"."job"("state", "heartbeat_at");

-- CreateIndex
CREATE INDEX "event_at_idx" ON "platform"."event"("at");

-- CreateIndex
CREATE INDEX "idempotency_key_created_at_idx" ON "platform"."idempotency_key"("created_at");

-- CreateIndex
CREATE UNIQUE INDEX "user_email_key_key" ON "users"."user"("email_key");

-- CreateIndex
CREATE INDEX "session_user_id_id_idx" ON "users"."session"("user_id", "id" DESC);

-- CreateIndex
CREATE INDEX "refresh_token_session_id_idx" ON "users"."refresh_token"("session_id");

-- AddForeignKey
ALTER TABLE "media"."transcript" ADD CONSTRAINT "transcript_media_id_fkey" FOREIGN KEY ("media_id") REFERENCES "media"."media"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "media"."segment" ADD CONSTRAINT "segment_transcript_id_fkey" FOREIGN KEY ("transcript_id") REFERENCES "media"."transcript"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "users"."session" ADD CONSTRAINT "session_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"."user"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "users"."refresh_token" ADD CONSTRAINT "refresh_token_session_id_fkey" FOREIGN KEY ("session_id") REFERENCES "users"."session"("id") ON DELETE CASCADE ON UPDATE CASCADE;



-- Appends one event and answers its sequence number. The upsert locks the topic's row until commit, so numbers are
-- dense and become visible in order: a reader that has seen n never misses n - 1. Call it as the last statement of a
-- transaction, because every other writer of the topic waits from here to the commit.
CREATE FUNCTION "platform"."append_event"("p_topic" text, "p_payload" jsonb) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  "v_seq" bigint;
BEGIN
  INSERT INTO "platform"."event_topic" AS t ("topic", "seq") VALUES ("p_topic", 1)
    ON CONFLICT ("topic") DO UPDATE SET "seq" = t."seq" + 1
    RETURNING t."seq" INTO "v_seq";
  INSERT INTO "platform"."event" ("topic", "seq", "payload") VALUES ("p_topic", "v_seq", "p_payload");
  PERFORM pg_notify('sauti_event', "p_topic");
  RETURN "v_seq";
END
$$;

-- Wakes the dispatchers when a job was queued; the payload is empty because they read the outbox itself.
CREATE FUNCTION "platform"."notify_outbox"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('sauti_outbox', '');
  RETURN NULL;
END
$$;
CREATE TRIGGER "job_outbox_notify" AFTER INSERT ON "platform"."job_outbox"
  FOR EACH STATEMENT EXECUTE FUNCTION "platform"."notify_outbox"();

-- Wakes the workers when a job shall stop.
CREATE FUNCTION "platform"."notify_cancel"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('sauti_cancel', NEW."id");
  RETURN NULL;
END
$$;
CREATE TRIGGER "job_cancel_notify" AFTER UPDATE OF "state" ON "platform"."job"
  FOR EACH ROW WHEN (NEW."state" = 'CANCELING' AND OLD."state" IS DISTINCT FROM 'CANCELING')
  EXECUTE FUNCTION "platform"."notify_cancel"();
