/**
 * Put before a target's script: on SIGUSR2 writes the longest event-loop delay since the last time, in milliseconds, to
 * the file that BENCH_EVENT_LOOP_FILE names.
 */
'use strict';
const { renameSync, writeFileSync } = require('node:fs');
const { monitorEventLoopDelay } = require('node:perf_hooks');

const file = process.env.BENCH_EVENT_LOOP_FILE;
const RESOLUTION_MS = 5;
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delay.enable();
process.on('SIGUSR2', () => {
  // The clock itself ticks this often: a delay of one tick is none.
  writeFileSync(`${file}.part`, String(Math.max(0, delay.max / 1e6 - RESOLUTION_MS)));
  renameSync(`${file}.part`, file);
  delay.reset();
});
