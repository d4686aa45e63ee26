import { SautiError } from '../../platform/errors';
import { HEADER_VALUE } from '../fetch/header-rules';

/**
 * What would be the Authorization header, from a payload the client sent: clients write its name in any case and the
 * token with or without the scheme. Undefined without one; UNAUTHENTICATED for what could not be a header.
 */
export function authorizationOf(payload: Record<string, unknown> | undefined): string | undefined {
  const name = authorizationNameIn(payload);
  const given = name === undefined ? undefined : payload![name];
  if (given === undefined || given === null || given === '') return undefined;
  if (typeof given !== 'string')
    throw new SautiError('UNAUTHENTICATED', 'The authorization in the payload must be a string.');
  if (!HEADER_VALUE.test(given))
    throw new SautiError('UNAUTHENTICATED', 'The authorization in the payload cannot be that of a header.');
  return /\s/.test(given.trim()) ? given : `Bearer ${given.trim()}`;
}

/** How the payload spells it; undefined when it has none. */
export function authorizationNameIn(payload: Record<string, unknown> | undefined): string | undefined {
  return Object.keys(payload ?? {}).find((key) => key.toLowerCase() === 'authorization');
}
