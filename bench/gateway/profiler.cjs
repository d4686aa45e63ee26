/**
 * Put before a target's script: the first SIGUSR2 begins a CPU profile of the main thread, the second writes it to the
 * file that BENCH_PROFILE_FILE names (Chrome DevTools and VS Code open it). So neither start nor warm-up is in it.
 */
'use strict';
const { renameSync, writeFileSync } = require('node:fs');
const { Session } = require('node:inspector');

const file = process.env.BENCH_PROFILE_FILE;
const INTERVAL_US = 500;
const session = new Session();
session.connect();
let isOn = false;
process.on('SIGUSR2', () => {
  if (isOn) return session.post('Profiler.stop', (error, result) => write(error ? { error } : result.profile));
  isOn = true;
  session.post('Profiler.enable');
  session.post('Profiler.setSamplingInterval', { interval: INTERVAL_US });
  session.post('Profiler.start', () => write({ isStarted: true }));
});

function write(value) {
  writeFileSync(`${file}.part`, JSON.stringify(value));
  renameSync(`${file}.part`, file);
}
