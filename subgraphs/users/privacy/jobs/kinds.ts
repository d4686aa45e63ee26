/** Kinds of jobs on whole accounts, as in the graph's JobKind enum. */
export const ACCOUNT_JOB_KINDS = ['EXPORT_ACCOUNT', 'DELETE_ACCOUNT'] as const;
export type AccountJobKind = (typeof ACCOUNT_JOB_KINDS)[number];

/** Whether a kind of job is one on a whole account. */
export function isAccountJobKind(kind: string): kind is AccountJobKind {
  return (ACCOUNT_JOB_KINDS as readonly string[]).includes(kind);
}
