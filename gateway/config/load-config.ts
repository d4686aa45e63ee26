import { createRequire } from 'node:module';
import type * as ReadConfig from './read-config';
import type { GatewayConfig } from './schema';

/**
 * The configuration in a file, or an empty one without a file. What reads and checks it is loaded only then: its
 * libraries take 20 MB of memory. Throws one error that lists all faults.
 */
export function loadGatewayConfig(file: string | null): GatewayConfig {
  if (file === null) return {};
  const { readGatewayConfig } = createRequire(__filename)('./read-config') as typeof ReadConfig;
  return readGatewayConfig(file);
}
