/** What can go wrong in this slice, as it appears in `UserError.code` and `JobError.code`. */
export type MediaProblemCode =
  | 'INVALID_INPUT'
  | 'NOT_FOUND'
  | 'INVALID_STATE'
  | 'TYPE_NOT_ALLOWED'
  | 'UNSUPPORTED'
  | 'ENGINE_UNAVAILABLE'
  | 'INSUFFICIENT_STORAGE'
  | 'NO_SPEECH'
  | 'INTERNAL';
