import { SautiError } from '../../platform/errors';
import type { Logger } from '../../platform/logger';
import type { Connections } from '../connections/connections';
import { authorizationNameIn, authorizationOf } from './authorization';

/** Whether a ping with this payload asks to go on with another token. */
export function asksRenewal(payload: Record<string, unknown> | undefined): payload is Record<string, unknown> {
  return authorizationNameIn(payload) !== undefined;
}

/**
 * Renews the connection with this id and answers what its client is told: until when that holds, or why not; then the
 * token before goes on. Never rejects.
 */
export async function renew(
  { connections, logger }: { connections: Connections; logger: Logger },
  id: string | undefined,
  payload: Record<string, unknown>,
): Promise<object> {
  try {
    const until = await connections.renew(id ?? '', authorizationOf(payload));
    return { renewedUntil: until.toISOString() };
  } catch (error) {
    if (error instanceof SautiError) return { error: { code: error.code, message: error.message } };
    logger.error({ error }, 'a WebSocket could not be renewed');
    return { error: { code: 'INTERNAL', message: 'Something went wrong on our side.' } };
  }
}
