/** What can go wrong in this slice, as it appears in `UserError.code` and `JobError.code`. */
export type MediaProblemCode =
  | 'INVALID_INPUT'
  | 'INVALID_STATE'
  | 'CONFLICT'
  | 'NOT_FOUND'
  | 'TYPE_NOT_ALLOWED'
  | 'UNSUPPORTED'
  | 'ENGINE_UNAVAILABLE'
  | 'LANGUAGE_PAIR_UNSUPPORTED'
  | 'INSUFFICIENT_STORAGE'
  | 'NO_SPEECH'
  | 'INTERNAL';
