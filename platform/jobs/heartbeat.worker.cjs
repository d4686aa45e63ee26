'use strict';
/**
 * The thread that keeps the leases of this process's jobs while its main thread is busy. Plain JavaScript because a worker
 * thread loads files without our compilers. It has a connection of its own, and renews all jobs in one statement.
 *
 * It stops when the main thread has not turned for `stallMs`: a process that is stuck for good must lose its jobs.
 *
 * @typedef {{ url: string, everyMs: number, stallMs: number, turns: SharedArrayBuffer }} WorkerData
 * @typedef {{ type: 'add' | 'remove', id: string, attempt: number } | { type: 'beat' } | { type: 'close' }} Request
 * @typedef {{ id: string, attempt: number, state: 'RUNNING' | 'CANCELING' | null }} Beat  null: the attempt is over
 */
const { parentPort, workerData } = require('node:worker_threads');
const { Client } = require('pg');

const { url, everyMs, stallMs, turns } = /** @type {WorkerData} */ (workerData);
const turned = new Int32Array(turns);

/** A row that its own handler has locked is not waited for, or it would cost the others their leases; it is alive. */
const RENEW = `
  with mine as (
    select j.id, j.attempt, j.state from unnest($1::text[], $2::int[]) as r(id, attempt)
      join platform.job j on j.id = r.id and j.attempt = r.attempt and j.state in ('RUNNING', 'CANCELING')
  ), free as (
    select j.id from platform.job j join mine on mine.id = j.id for no key update of j skip locked
  ), renewed as (
    update platform.job j set heartbeat_at = now() from free join mine on mine.id = free.id
     where j.id = free.id and j.attempt = mine.attempt and j.state in ('RUNNING', 'CANCELING') returning j.id
  )
  select mine.id, mine.attempt, mine.state::text as state, renewed.id is not null as renewed
    from mine left join renewed on renewed.id = mine.id`;
/** How soon a row that was locked is tried again; its lease may be old when the lock is gone. */
const LOCKED_MS = 200;
const ANSWER_LIMIT_MS = 5_000;

/** @type {Map<string, { id: string, attempt: number }>} */
const running = new Map();
/** @type {import('pg').Client | undefined} */
let client;
let timer;
let beating = false;
let beatAgain = false;
let lastTurn = -1;
let turnedAt = performance.now();

async function connected() {
  if (client) return client;
  const next = new Client({
    connectionString: url,
    application_name: 'sauti:heartbeat',
    connectionTimeoutMillis: ANSWER_LIMIT_MS,
    query_timeout: ANSWER_LIMIT_MS,
    statement_timeout: ANSWER_LIMIT_MS,
    keepAlive: true,
  });
  next.on('error', () => drop(next));
  await next.connect();
  return (client = next);
}

function drop(lost) {
  if (client === lost) client = undefined;
  lost.end().catch(() => undefined);
}

function isStalled() {
  const turn = Atomics.load(turned, 0);
  if (turn !== lastTurn) {
    lastTurn = turn;
    turnedAt = performance.now();
  }
  return performance.now() - turnedAt > stallMs;
}

async function renew() {
  const jobs = [...running.values()];
  if (jobs.length === 0) return everyMs;
  if (isStalled()) return everyMs;
  const connection = await connected();
  try {
    const { rows } = await connection.query(RENEW, [jobs.map(({ id }) => id), jobs.map(({ attempt }) => attempt)]);
    const beats = jobs.map(({ id, attempt }) => ({
      id,
      attempt,
      state: rows.find((row) => row.id === id)?.state ?? null,
    }));
    parentPort.postMessage({ type: 'beats', beats });
    return rows.some((row) => !row.renewed) ? LOCKED_MS : everyMs;
  } catch (error) {
    drop(connection);
    throw error;
  }
}

async function beat() {
  beatAgain = true;
  if (beating) return;
  beating = true;
  let next = everyMs;
  while (beatAgain) {
    beatAgain = false;
    clearTimeout(timer);
    try {
      next = await renew();
    } catch (error) {
      next = everyMs;
      parentPort.postMessage({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
    }
  }
  beating = false;
  timer = setTimeout(beat, next);
}

parentPort.on('message', (/** @type {Request} */ request) => {
  if (request.type === 'add') running.set(`${request.id}.${request.attempt}`, request);
  if (request.type === 'remove') running.delete(`${request.id}.${request.attempt}`);
  if (request.type === 'beat') void beat();
  if (request.type === 'close') close();
});

async function close() {
  clearTimeout(timer);
  await client?.end().catch(() => undefined);
  process.exit();
}

void beat();
