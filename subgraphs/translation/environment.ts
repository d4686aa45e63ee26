/** The environment of this process, read here and nowhere else; `runSubgraph` checks it. */
export const environment = process.env;
