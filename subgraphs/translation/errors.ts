/** What can go wrong in this slice, as it appears in `UserError.code`. */
export type TranslationProblemCode = 'INVALID_INPUT' | 'LANGUAGE_PAIR_UNSUPPORTED' | 'ENGINE_UNAVAILABLE';
