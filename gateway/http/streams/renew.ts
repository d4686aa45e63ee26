import { SautiError } from '../../../platform/errors';
import type { Connections } from '../../connections/connections';
import type { GatewayLimits } from '../../options';
import type { OriginPolicy } from '../cors';
import type { Page } from '../handler';
import { readJsonBody } from '../json-body';
import type { Identification } from '../../viewer/identification';
import { HttpError, sendJson } from '../responses';
import { checkOrigin } from './guards';

const STATUSES: ReadonlyMap<string, number> = new Map([
  ['UNAUTHENTICATED', 401],
  ['NOT_FOUND', 404],
]);

/**
 * Renews an open connection, a WebSocket as well, with the credentials of this request: `{"connectionId"}` is
 * answered by `{"renewedUntil"}`. 401 for a token that is not good, 404 for a connection that is unknown or of somebody
 * else, 503 when tokens cannot be checked.
 */
export function renewPage(options: {
  connections: Connections;
  identification: Identification;
  origins: OriginPolicy;
  limits: GatewayLimits;
}): Page {
  const { connections, identification, origins, limits } = options;
  return async (request, response, url) => {
    checkOrigin(request, origins);
    const { authorization } = await identification.identify(request, url);
    const body = await readJsonBody(request, { maxBytes: limits.maxBodyBytes, idleMs: limits.bodyIdleMs });
    const { connectionId } = (body ?? {}) as { connectionId?: unknown };
    if (typeof connectionId !== 'string')
      throw new HttpError(400, 'BAD_REQUEST', 'Send JSON that says which connection: {"connectionId": "…"}.');
    try {
      const renewedUntil = await connections.renew(connectionId, authorization);
      sendJson(response, 200, { renewedUntil: renewedUntil.toISOString() });
    } catch (error) {
      if (!(error instanceof SautiError)) throw error;
      throw new HttpError(STATUSES.get(error.code) ?? 503, error.code, error.message, { cause: error });
    }
  };
}
