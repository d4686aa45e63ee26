import type { PlatformTransaction } from '../../platform/database/database';

/** A mail to be sent when the transaction that queues it has committed. */
export interface OutgoingMail {
  to: string;
  /** Why it was written, e.g. `account.suspended`. */
  kind: string;
  subject: string;
  text: string;
}

/** Queues a mail in the caller's transaction. */
export type SendMail = (tx: PlatformTransaction, mail: OutgoingMail) => Promise<void>;
