import { originPolicy } from '../http/cors';
import { clientSource } from '../http/source';
import type { Authenticate } from '../options';
import { createIdentification, type Identification } from '../viewer/identification';

/** Identification as a gateway has it that was told nothing else: no proxies, no cookies. */
export function plainIdentification(authenticate?: Authenticate): Identification {
  return createIdentification({
    authenticate,
    source: clientSource([]),
    origins: originPolicy([]),
    cookieSessions: false,
    needsFacts: false,
  });
}
