import { EnvironmentReader, type Env } from '../../platform/environment';

/** The test's own environment, read here and nowhere else. */
export const testEnvironment: Env = process.env;

export interface DifferentialEnvironment {
  /** Seed of the first operation over each supergraph. */
  seed: number;
  /** Operations over each supergraph. */
  count: number;
}

/** Reads `SAUTI_DIFF_SEED` (default 1) and `SAUTI_DIFF_COUNT` (default 550); throws one error that lists all faults. */
export function readDifferentialEnvironment(env: Env): DifferentialEnvironment {
  const reader = new EnvironmentReader(env);
  const seed = reader.wholeNumber('SAUTI_DIFF_SEED', 1, { min: 0, max: 2 ** 32 - 1 });
  const count = reader.wholeNumber('SAUTI_DIFF_COUNT', 550, { min: 1, max: 1_000_000 });
  reader.check();
  return { seed, count };
}
