/**
 * Makes a clone ready to run: `npm start` and `npm test` call it first. Uses Node's built-in modules only, because
 * nothing is installed yet the first time. Says one line for each thing it does, nothing when there is nothing to do.
 *
 *   node scripts/bootstrap.mjs [--for-tests]     --for-tests: also the recordings that the tests transcribe
 *
 * SAUTI_SKIP_ENGINES=1 leaves the system's packages alone.
 */
import { requireNode } from './bootstrap/node-version.mjs';

requireNode();
const { setUp } = await import('./bootstrap/set-up.mjs');
process.exitCode = await setUp({ forTests: process.argv.includes('--for-tests') });
