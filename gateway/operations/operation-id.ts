/** Characters of the id that a client gives an operation. It is kept while that is open; clients' own have 36. */
export const MAX_ID_LENGTH = 256;
