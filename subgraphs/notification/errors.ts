/** What can go wrong in this slice, as it appears in `UserError.code`. */
export type NotificationProblemCode = 'INVALID_INPUT' | 'NOT_FOUND' | 'INVALID_STATE' | 'INSUFFICIENT_CREDITS';
