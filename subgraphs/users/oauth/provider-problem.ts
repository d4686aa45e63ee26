import * as openid from 'openid-client';
import { UserProblemError } from '../../../platform/errors';
import type { Logger } from '../../../platform/logger';
import type { UsersProblemCode } from '../errors';
import type { ProviderSettings } from './oauth-settings';

/** When to try again where a provider does not answer. */
const RETRY_AFTER_MS = 5_000;

/** What `openid-client` says of an answer that came, could be read, and proves nothing. */
const PROVES_NOTHING = new Set([
  'OAUTH_INVALID_RESPONSE',
  'OAUTH_JWT_CLAIM_COMPARISON_FAILED',
  'OAUTH_JWT_TIMESTAMP_CHECK_FAILED',
  'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED',
  'OAUTH_KEY_SELECTION_FAILED',
  'OAUTH_UNSUPPORTED_OPERATION',
]);

/**
 * What the caller is told of a failure when a code is redeemed: INVALID_TOKEN when the code, or what the provider gave for it,
 * proves nothing; else as {@link unusable}. It does not tell what the provider has said.
 */
export function asProviderProblem(
  error: unknown,
  provider: ProviderSettings,
  logger: Logger,
): UserProblemError<UsersProblemCode> {
  const { code, reason } = describe(error);
  if (reason !== 'invalid_grant' && !PROVES_NOTHING.has(code)) return unusable(error, provider, logger);
  logger.info({ provider: provider.id, code, reason }, 'an identity provider did not confirm a sign-in');
  return new UserProblemError({
    code: 'INVALID_TOKEN',
    message: `${provider.name} did not confirm who signs in. Begin again with startOAuth.`,
    path: ['input', 'code'],
  });
}

/**
 * INTERNAL with a time to wait, for a provider that does not answer, does not take our credentials, or is not who it is said to
 * be. The log tells which, without any code, token or secret.
 */
export function unusable(
  error: unknown,
  { id, name }: ProviderSettings,
  logger: Logger,
): UserProblemError<UsersProblemCode> {
  logger.warn({ provider: id, ...describe(error) }, 'an identity provider cannot be used');
  return new UserProblemError({
    code: 'INTERNAL',
    message: `${name} cannot be asked at the moment. Try again later.`,
    retryAfterMs: RETRY_AFTER_MS,
  });
}

/** The error without its cause, which may hold what was sent or answered. */
function describe(error: unknown): { code: string; reason: string } {
  if (error instanceof openid.ResponseBodyError) return { code: error.code, reason: error.error };
  if (error instanceof openid.ClientError) return { code: error.code ?? 'none', reason: error.message };
  return { code: 'none', reason: error instanceof Error ? error.message : String(error) };
}
