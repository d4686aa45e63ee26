import { loadGatewayConfig } from '../gateway/config/load-config';
import type { GatewayConfig } from '../gateway/config/schema';
import { readEdgeEnvironment, type EdgeEnvironment } from '../gateway/edge-environment';
import { EnvironmentReader, readPlatformEnvironment, type PlatformEnvironment } from '../platform/environment';
import { readUsersSettings, type UsersSettings } from '../subgraphs/users/users-settings';

export interface StartEnvironment extends PlatformEnvironment {
  host: string;
  /** Null: the first free one of 4000, 4010, 4020 … */
  port: number | null;
  /** Where clients reach this process, when that is not http://localhost:<port>. */
  publicUrl: string | null;
  corsOrigins: string[];
  edge: EdgeEnvironment;
  /** Bytes of one file at the gateway: the variable, else the configuration file, else a little more than the slices take. */
  gatewayMaxFileBytes: number;
  /** The file that `SAUTI_GATEWAY_CONFIG` names; variables come before what is in it. */
  gatewayConfig: GatewayConfig;
  users: UsersSettings;
}

/** Reads and checks the environment of `npm start`; throws one error that lists all faults. */
export function readStartEnvironment(): StartEnvironment {
  const reader = new EnvironmentReader(process.env);
  const gatewayConfig = loadGatewayConfig(reader.text('SAUTI_GATEWAY_CONFIG'));
  if (gatewayConfig.supergraph !== undefined)
    reader.fault('SAUTI_GATEWAY_CONFIG names a file with a supergraph; npm start serves its own.');
  const corsOrigins = reader.list('CORS_ORIGINS');
  const platform = readPlatformEnvironment(reader);
  // Their typed FILE_TOO_LARGE comes before the gateway's own limit.
  const aboveSlices = platform.maxFileBytes + 2 ** 20;
  const environment = {
    ...platform,
    gatewayMaxFileBytes:
      reader.text('MAX_FILE_BYTES') === null ? (gatewayConfig.limits?.maxFileBytes ?? aboveSlices) : aboveSlices,
    gatewayConfig,
    edge: readEdgeEnvironment(reader, gatewayConfig, { production: platform.production, hasIdentity: true }),
    users: readUsersSettings(reader),
    host: reader.text('HOST') ?? gatewayConfig.host ?? '127.0.0.1',
    port:
      reader.text('PORT') === null
        ? (gatewayConfig.port ?? null)
        : reader.wholeNumber('PORT', 4000, { min: 1, max: 65_535 }),
    publicUrl: reader.url('PUBLIC_URL', ['http:', 'https:']),
    corsOrigins: corsOrigins.length > 0 ? corsOrigins : (gatewayConfig.corsOrigins ?? []),
  };
  reader.check();
  return environment;
}
