/** What can go wrong in this slice, as it appears in `UserError.code`. */
export type FilesProblemCode =
  | 'INVALID_INPUT'
  | 'NOT_FOUND'
  | 'IDEMPOTENCY_MISMATCH'
  | 'FILE_TOO_LARGE'
  | 'CHECKSUM_MISMATCH'
  | 'INSUFFICIENT_STORAGE';
