import type { Env } from '../../platform/environment';

/** The environment of this process, read here and nowhere else; `runSubgraph` checks it. */
export const processEnvironment: Env = process.env;
