-- CreateEnum
CREATE TYPE "platform"."credit_reason" AS ENUM ('GRANT', 'PLAN', 'EXPIRY', 'HOLD', 'RELEASE', 'CHARGE');

-- CreateEnum
CREATE TYPE "platform"."mail_state" AS ENUM ('QUEUED', 'SENT', 'OUTBOX', 'FAILED');

-- CreateEnum
CREATE TYPE "users"."role" AS ENUM ('CREATOR', 'MODERATOR', 'ADMIN');

-- CreateEnum
CREATE TYPE "users"."user_status" AS ENUM ('ACTIVE', 'SUSPENDED', 'PENDING_DELETION');

-- CreateEnum
CREATE TYPE "users"."assurance" AS ENUM ('PASSWORD', 'MFA', 'IDENTITY_PROVIDER');

-- CreateEnum
CREATE TYPE "users"."one_time_token_kind" AS ENUM ('VERIFY_EMAIL', 'CHANGE_EMAIL', 'RESET_PASSWORD', 'MFA_CHALLENGE', 'OAUTH_STATE');

-- AlterTable
ALTER TABLE "platform"."job" ADD COLUMN     "credits" INTEGER NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "users"."refresh_token" ADD COLUMN     "position" INTEGER NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "users"."session" ADD COLUMN     "assurance" "users"."assurance" NOT NULL DEFAULT 'PASSWORD',
ADD COLUMN     "authenticated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
ADD COLUMN     "ip_address" TEXT,
ADD COLUMN     "user_agent" TEXT;

-- AlterTable
ALTER TABLE "users"."signing_key" ADD COLUMN     "active_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
ADD COLUMN     "retired_at" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "users"."user" ADD COLUMN     "avatar_file_id" TEXT,
ADD COLUMN     "birth_date" DATE,
ADD COLUMN     "deletes_at" TIMESTAMPTZ(3),
ADD COLUMN     "deletion_job_id" TEXT,
ADD COLUMN     "email_verified_at" TIMESTAMPTZ(3),
ADD COLUMN     "first_name" TEXT,
ADD COLUMN     "last_name" TEXT,
ADD COLUMN     "last_sign_in_at" TIMESTAMPTZ(3),
ADD COLUMN     "preferences" JSONB NOT NULL DEFAULT '{}',
ADD COLUMN     "preferences_at" TIMESTAMPTZ(3),
ADD COLUMN     "preferences_version" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "roles" "users"."role"[] DEFAULT ARRAY[]::"users"."role"[],
ADD COLUMN     "status" "users"."user_status" NOT NULL DEFAULT 'ACTIVE',
ADD COLUMN     "suspension_ends_at" TIMESTAMPTZ(3),
ADD COLUMN     "suspension_reason" TEXT,
ALTER COLUMN "password_hash" DROP NOT NULL;

-- CreateTable
CREATE TABLE "platform"."credit_account" (
    "owner_id" TEXT NOT NULL,
    "plan_id" TEXT NOT NULL DEFAULT 'free',
    "balance" INTEGER NOT NULL DEFAULT 0,
    "held" INTEGER NOT NULL DEFAULT 0,
    "plan_balance" INTEGER NOT NULL DEFAULT 0,
    "period_at" TIMESTAMPTZ(3),

    CONSTRAINT "credit_account_pkey" PRIMARY KEY ("owner_id")
);

-- CreateTable
CREATE TABLE "platform"."credit_entry" (
    "id" TEXT NOT NULL,
    "position" BIGSERIAL NOT NULL,
    "owner_id" TEXT NOT NULL,
    "amount" INTEGER NOT NULL,
    "plan_amount" INTEGER NOT NULL DEFAULT 0,
    "reason" "platform"."credit_reason" NOT NULL,
    "job_id" TEXT,
    "note" TEXT,
    "actor_id" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "credit_entry_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "platform"."credit_plan" (
    "id" TEXT NOT NULL,
    "position" INTEGER NOT NULL,
    "name" TEXT NOT NULL,
    "monthly_credits" INTEGER NOT NULL,
    "max_concurrent_jobs" INTEGER NOT NULL,

    CONSTRAINT "credit_plan_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "platform"."mail" (
    "id" TEXT NOT NULL,
    "recipient" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "body" TEXT,
    "kind" TEXT NOT NULL,
    "state" "platform"."mail_state" NOT NULL DEFAULT 'QUEUED',
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "error" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "next_attempt_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "mail_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "users"."one_time_token" (
    "token_hash" TEXT NOT NULL,
    "kind" "users"."one_time_token_kind" NOT NULL,
    "user_id" TEXT,
    "data" JSONB NOT NULL DEFAULT '{}',
    "failures" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "used_at" TIMESTAMPTZ(3),

    CONSTRAINT "one_time_token_pkey" PRIMARY KEY ("token_hash")
);

-- CreateTable
CREATE TABLE "users"."trusted_device" (
    "token_hash" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "trusted_device_pkey" PRIMARY KEY ("token_hash")
);

-- CreateTable
CREATE TABLE "users"."mfa_factor" (
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "secret" TEXT NOT NULL,
    "last_step" BIGINT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "confirmed_at" TIMESTAMPTZ(3),

    CONSTRAINT "mfa_factor_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "users"."recovery_code" (
    "user_id" TEXT NOT NULL,
    "code_hash" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "used_at" TIMESTAMPTZ(3),

    CONSTRAINT "recovery_code_pkey" PRIMARY KEY ("user_id","code_hash")
);

-- CreateTable
CREATE TABLE "users"."identity" (
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "provider" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "email" TEXT,
    "linked_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "identity_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "users"."api_key" (
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "prefix" TEXT NOT NULL,
    "key_hash" TEXT NOT NULL,
    "scopes" TEXT[],
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),
    "last_used_at" TIMESTAMPTZ(3),

    CONSTRAINT "api_key_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "users"."attempt_count" (
    "key" TEXT NOT NULL,
    "count" INTEGER NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "attempt_count_pkey" PRIMARY KEY ("key")
);

-- CreateTable
CREATE TABLE "users"."audit_event" (
    "id" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "actor_id" TEXT,
    "subject_id" TEXT,
    "ip_address" TEXT,
    "request_id" TEXT,
    "metadata" JSONB NOT NULL DEFAULT '{}',
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "audit_event_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "users"."account_receipt" (
    "job_id" TEXT NOT NULL,
    "subgraph" TEXT NOT NULL,
    "counts" JSONB NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "account_receipt_pkey" PRIMARY KEY ("job_id","subgraph")
);

-- CreateIndex
CREATE INDEX "credit_entry_owner_id_position_idx" ON "platform"."credit_entry"("owner_id", "position" DESC);

-- CreateIndex
CREATE INDEX "credit_entry_job_id_idx" ON "platform"."credit_entry"("job_id");

-- CreateIndex
CREATE INDEX "mail_state_next_attempt_at_idx" ON "platform"."mail"("state", "next_attempt_at");

-- CreateIndex
CREATE INDEX "one_time_token_user_id_kind_idx" ON "users"."one_time_token"("user_id", "kind");

-- CreateIndex
CREATE INDEX "one_time_token_expires_at_idx" ON "users"."one_time_token"("expires_at");

-- CreateIndex
CREATE INDEX "trusted_device_user_id_idx" ON "users"."trusted_device"("user_id");

-- CreateIndex
CREATE INDEX "mfa_factor_user_id_idx" ON "users"."mfa_factor"("user_id");

-- CreateIndex
CREATE INDEX "identity_user_id_idx" ON "users"."identity"("user_id");

-- CreateIndex
CREATE UNIQUE INDEX "identity_provider_subject_key" ON "users"."identity"("provider", "subject");

-- CreateIndex
CREATE UNIQUE INDEX "api_key_key_hash_key" ON "users"."api_key"("key_hash");

-- CreateIndex
CREATE INDEX "api_key_user_id_id_idx" ON "users"."api_key"("user_id", "id" DESC);

-- CreateIndex
CREATE INDEX "attempt_count_expires_at_idx" ON "users"."attempt_count"("expires_at");

-- CreateIndex
CREATE INDEX "audit_event_actor_id_id_idx" ON "users"."audit_event"("actor_id", "id" DESC);

-- CreateIndex
CREATE INDEX "audit_event_subject_id_id_idx" ON "users"."audit_event"("subject_id", "id" DESC);

-- CreateIndex
CREATE INDEX "audit_event_action_id_idx" ON "users"."audit_event"("action", "id" DESC);

-- CreateIndex
CREATE INDEX "user_id_idx" ON "users"."user"("id" DESC);

-- AddForeignKey
ALTER TABLE "platform"."credit_entry" ADD CONSTRAINT "credit_entry_owner_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "platform"."credit_account"("owner_id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "users"."one_time_token" ADD CONSTRAINT "one_time_token_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"."user"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "users"."trusted_device" ADD CONSTRAINT "trusted_device_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"."user"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "users"."mfa_factor" ADD CONSTRAINT "mfa_factor_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"."user"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "users"."recovery_code" ADD CONSTRAINT "recovery_code_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"."user"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "users"."identity" ADD CONSTRAINT "identity_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"."user"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "users"."api_key" ADD CONSTRAINT "api_key_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"."user"("id") ON DELETE CASCADE ON UPDATE CASCADE;



-- No balance falls below zero, whatever a program does.
ALTER TABLE "platform"."credit_account" ADD CONSTRAINT "credit_account_not_negative" CHECK ("balance" >= 0 AND "held" >= 0 AND "plan_balance" >= 0);

-- The ledger is append-only; entries go only together with their account.
CREATE FUNCTION "platform"."keep_credit_entry"() RETURNS trigger LANGUAGE plpgsql AS $$
begin
  if tg_op = 'DELETE' and not exists (select 1 from platform.credit_account where owner_id = old.owner_id) then
    return old;
  end if;
  raise exception 'credit entries are append-only';
end $$;
CREATE TRIGGER "keep_credit_entry" BEFORE UPDATE OR DELETE ON "platform"."credit_entry"
  FOR EACH ROW EXECUTE FUNCTION "platform"."keep_credit_entry"();

-- As before, and of each owner no more than the plan of the account allows; least() passes over the null of an owner who
-- has no account, because nothing of theirs has cost anything yet.
CREATE OR REPLACE FUNCTION "platform"."take_due_jobs"("p_limit" int, "p_batch" int, "p_retake_ms" int)
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
         LIMIT greatest(0, least("p_limit", (
             SELECT p."max_concurrent_jobs" FROM "platform"."credit_account" a CROSS JOIN "platform"."credit_plan" p
              WHERE a."owner_id" = "owner"."id" ORDER BY p."id" = a."plan_id" DESC, p."position" LIMIT 1)) - (
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

-- The audit log is append-only; of an event may only be wiped what tells where a deleted person was and what it wrote.
CREATE FUNCTION "users"."keep_audit_event"() RETURNS trigger LANGUAGE plpgsql AS $$
begin
  if tg_op = 'UPDATE' and new.ip_address is null and new.metadata = '{}'::jsonb
     and (new.id, new.action, new.actor_id, new.subject_id, new.request_id, new.at)
         is not distinct from (old.id, old.action, old.actor_id, old.subject_id, old.request_id, old.at) then
    return new;
  end if;
  raise exception 'audit events are append-only';
end $$;
CREATE TRIGGER "keep_audit_event" BEFORE UPDATE OR DELETE ON "users"."audit_event"
  FOR EACH ROW EXECUTE FUNCTION "users"."keep_audit_event"();
CREATE FUNCTION "users"."keep_audit_log"() RETURNS trigger LANGUAGE plpgsql AS $$
begin
  raise exception 'audit events are append-only';
end $$;
CREATE TRIGGER "keep_audit_log" BEFORE TRUNCATE ON "users"."audit_event"
  FOR EACH STATEMENT EXECUTE FUNCTION "users"."keep_audit_log"();

-- Wakes the workers when a mail was queued; the payload is empty because they read the queue itself.
CREATE FUNCTION "platform"."notify_mail"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('sauti_mail', '');
  RETURN NULL;
END
$$;
CREATE TRIGGER "mail_notify" AFTER INSERT ON "platform"."mail"
  FOR EACH STATEMENT EXECUTE FUNCTION "platform"."notify_mail"();
