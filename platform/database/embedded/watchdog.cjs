/**
 * Owns the embedded PostgreSQL: a process of its own that outlives whoever started it, and ends the server when nobody
 * needs it any more. Plain JavaScript, because it is started with bare node whichever way Sauti itself runs.
 *
 * A Sauti process shows that it needs the server by a *lease*: a connection named `sauti:lease`. It disappears with the
 * process, however that ends, so no bookkeeping can go stale. The watchdog looks every second and stops the server when
 * it has seen no lease for three seconds. It does not restart a server that died: after a crash there are no leases to
 * see, and it is the leaseholders who know that they want it back (see `lease.ts`).
 *
 * Instructions arrive as JSON on stdin, so the password is in no command line.
 */
'use strict';
const { spawn } = require('node:child_process');
const { readFileSync } = require('node:fs');
const { setTimeout: sleep } = require('node:timers/promises');
const { Client } = require('pg');

const LOOK_EVERY_MS = 1_000;
/** Longer than a leaseholder needs to reconnect. */
const STOP_AFTER_MS = 3_000;
/** The first lease may take longer on a busy machine, and after a crash each leaseholder has to notice first. */
const FIRST_LEASE_WITHIN_MS = 10_000;
/** Advisory lock of the one watchdog of a server ("SAUW" in ASCII). */
const WATCHDOG_LOCK = 0x53415557;

/** @type {{ postgres?: string, data: string, port: number, secret: string, uid?: number, gid?: number, settings?: Record<string, string>, adoptPid?: number }} */
const instructions = JSON.parse(readFileSync(0, 'utf8'));
const pid = instructions.adoptPid ?? startServer();

for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, stopServer);
process.on('SIGHUP', () => undefined); // the terminal of whoever started us is gone; the server is still needed

watch().catch((error) => {
  console.error('watchdog:', error);
  stopServer();
});

function startServer() {
  const { postgres, data, port, uid, gid, settings } = instructions;
  const parameters = {
    max_connections: '200',
    shared_buffers: '64MB',
    timezone: 'UTC',
    log_checkpoints: 'off',
    ...settings,
  };
  const server = spawn(
    postgres,
    [
      '-D',
      data,
      '-p',
      String(port),
      '-h',
      '127.0.0.1',
      '-k',
      '',
      ...Object.entries(parameters).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    { cwd: '/', stdio: ['ignore', 'inherit', 'inherit'], ...(uid !== undefined && { uid, gid }) },
  );
  server.on('exit', (code) => process.exit(code ?? 1));
  server.on('error', (error) => {
    console.error(`FATAL: ${error.message}`);
    process.exit(1);
  });
  return server.pid;
}

async function watch() {
  for (;;) {
    const client = await connect();
    try {
      const { rows } = await client.query('select pg_try_advisory_lock($1) as mine', [WATCHDOG_LOCK]);
      if (!rows[0].mine) process.exit(0); // the server has a watchdog after all
      await untilUnused(client);
      return stopServer();
    } catch (error) {
      // Connections break while the server lives when one of its processes was killed: it resets itself.
      console.error('watchdog: lost the server,', error.message);
    }
  }
}

/** Waits as long as the server takes to become ready, which after a crash may be minutes. */
async function connect() {
  for (;;) {
    const client = new Client({
      host: '127.0.0.1',
      port: instructions.port,
      user: 'postgres',
      password: instructions.secret,
      database: 'postgres',
      application_name: 'sauti:watchdog',
      ssl: false,
    });
    client.on('error', () => undefined); // the next query fails and says why
    try {
      await client.connect();
      return client;
    } catch (error) {
      if (error.code === '28P01') throw error;
      if (!isAlive()) process.exit(1);
      await sleep(100);
    }
  }
}

async function untilUnused(client) {
  let leaseSeenAt = Date.now();
  let patienceMs = FIRST_LEASE_WITHIN_MS;
  while (Date.now() - leaseSeenAt <= patienceMs) {
    const { rows } = await client.query(
      `select count(*)::int as leases from pg_stat_activity where application_name = 'sauti:lease'`,
    );
    if (rows[0].leases > 0) {
      leaseSeenAt = Date.now();
      patienceMs = STOP_AFTER_MS;
    }
    await sleep(LOOK_EVERY_MS);
  }
}

/** "Fast shutdown": transactions are rolled back, connections closed, everything is on disk when the process ends. */
function stopServer() {
  if (isAlive()) process.kill(pid, 'SIGINT');
  if (instructions.adoptPid) process.exit(0);
}

/** A zombie counts as dead: nobody reaps in many containers. */
function isAlive() {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(instructions.data);
  } catch {
    return true;
  }
}
