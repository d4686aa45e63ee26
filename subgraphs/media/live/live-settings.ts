import { availableParallelism } from 'node:os';
import type { EnvironmentReader } from '../../../platform/environment';

/** How live sessions are served; the same for the workers and for the media subgraph, which takes the audio. */
export interface LiveSettings {
  /** Sessions that this worker recognizes at once; 0: it takes none. Each holds about 150 MB and a good part of a core. */
  places: number;
  /** A session to which nothing was sent for so long gives its place back, in milliseconds. */
  pauseAfterMs: number;
  /** How much may be spoken in one session, in milliseconds. */
  maxDurationMs: number;
  /** How many sessions of one account may hold a place at a time. */
  sessionsPerAccount: number;
}

/** Of an installation that says nothing else. */
export const DEFAULT_SESSIONS_PER_ACCOUNT = 5;

/** Reads the variables of live sessions; see docs/operations.md for the list. Faults are collected by the reader. */
export function readLiveSettings(reader: EnvironmentReader): LiveSettings {
  return {
    places: reader.wholeNumber('LIVE_PLACES', Math.max(2, availableParallelism()), { min: 0, max: 256 }),
    pauseAfterMs: reader.wholeNumber('LIVE_PAUSE_AFTER_SECONDS', 10, { min: 1, max: 3_600 }) * 1_000,
    maxDurationMs: reader.wholeNumber('LIVE_MAX_HOURS', 4, { min: 1, max: 24 }) * 3_600_000,
    sessionsPerAccount: reader.wholeNumber('LIVE_SESSIONS_PER_ACCOUNT', DEFAULT_SESSIONS_PER_ACCOUNT, {
      min: 1,
      max: 1_000,
    }),
  };
}
