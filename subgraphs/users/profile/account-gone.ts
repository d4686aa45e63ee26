import { SautiError } from '../../../platform/errors';

/** For a token that outlived its account. */
export function accountGone(): never {
  throw new SautiError('UNAUTHENTICATED', 'This account does not exist any more.');
}
