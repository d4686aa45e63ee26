import { unknownName } from './unknown-name';
import type { GatewayConfig } from './schema';

/** Settings for a subgraph that is not there are a name misspelled; only the supergraph knows the right ones. Throws. */
export function checkSubgraphNames({ subgraphs = {} }: GatewayConfig, known: readonly string[]): void {
  const faults = Object.keys(subgraphs).filter((name) => !known.includes(name));
  if (faults.length === 0) return;
  throw new Error(`subgraphs: ${faults.map((name) => unknownName(name, known)).join('; ')}`);
}
