import type { IncomingMessage, ServerResponse } from 'node:http';
import type { VerifiedToken } from '../../../platform/identity/access-token';
import type { ClientFacts } from '../../../platform/identity/viewer';
import type { Connections } from '../../connections/connections';
import type { CurrentGeneration } from '../../generation';
import type { Operations } from '../../operations/operations';
import type { GatewayLimits } from '../../options';
import type { ContentTypes } from '../content-types';
import type { OriginPolicy } from '../cors';
import type { StreamType } from './accept';
import type { Reservations } from './reservations';
import type { StreamConnection } from './stream-connection';
import type { Wheel } from '../../wheel';

/** One request, and who makes it. */
export interface StreamRequest {
  request: IncomingMessage;
  response: ServerResponse;
  url: URL;
  requestId: string;
  token: VerifiedToken | null;
  /** What proved it. */
  authorization: string | undefined;
  client: ClientFacts | undefined;
  /** See `RequestIdentity`. */
  isCookieMode: boolean;
}

/** What the streams of one gateway share. */
export interface StreamServices {
  operations: Operations;
  connections: Connections;
  current: CurrentGeneration;
  contentTypes: ContentTypes;
  origins: OriginPolicy;
  limits: GatewayLimits;
  reservations: Reservations;
  /** Those that want a sign of life, by kind. */
  wheels: Record<StreamType, Wheel<StreamConnection>>;
}
