/** What can go wrong in this slice, as it appears in `UserError.code`. */
export type UsersProblemCode =
  | 'INVALID_INPUT'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'INVALID_CREDENTIALS'
  | 'TOKEN_EXPIRED'
  | 'TOKEN_REUSED'
  | 'WEAK_PASSWORD'
  | 'CONFLICT'
  | 'FILE_TOO_LARGE'
  | 'FORBIDDEN'
  | 'IDEMPOTENCY_MISMATCH'
  | 'INSUFFICIENT_CREDITS'
  | 'INVALID_STATE'
  | 'INVALID_TOKEN'
  | 'RATE_LIMITED'
  | 'REAUTHENTICATION_REQUIRED'
  | 'TYPE_NOT_ALLOWED';
