/**
 * Put before a target's script, with `--expose-gc`: on SIGUSR2 collects garbage and writes what is left, in bytes, to
 * the file that BENCH_MEMORY_FILE names.
 */
'use strict';
const { renameSync, writeFileSync } = require('node:fs');

const file = process.env.BENCH_MEMORY_FILE;
process.on('SIGUSR2', async () => {
  // What finalizers and closed handles let go of is only collected the next time.
  for (let turn = 0; turn < 3; turn += 1) {
    globalThis.gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
  writeFileSync(`${file}.part`, JSON.stringify(process.memoryUsage()));
  renameSync(`${file}.part`, file);
});
