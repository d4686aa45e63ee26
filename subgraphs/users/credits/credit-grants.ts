import { announceCredits } from '../../../platform/credits/account';
import { balanceOf } from '../../../platform/credits/balance';
import { grant } from '../../../platform/credits/ledger';
import type { EventLog } from '../../../platform/events/event-log';
import { claimIdempotencyKey } from '../../../platform/idempotency';
import { isId, newId } from '../../../platform/ids';
import type { CallIdentity } from '../../../platform/identity/viewer';
import { requireScope } from '../administration/require-scope';
import { recordAudit } from '../audit/audit-log';
import { problem } from '../input';
import type { UsersTransaction } from '../records';
import type { CreditEntryRow, CreditRecords, CreditState } from './credit-records';

const MAX_GRANT = 1_000_000;
const MAX_NOTE_LENGTH = 500;

export interface GrantInput {
  userId: string;
  /** Below zero: they are taken away. */
  credits: number;
  note: string;
  idempotencyKey: string;
}

export interface Granted {
  account: CreditState;
  entry: CreditEntryRow;
}

/** Credits that administrators give. */
export class CreditGrants {
  constructor(
    private readonly records: CreditRecords,
    private readonly events: EventLog,
  ) {}

  /**
   * Gives credits to an account, or takes them away; a repeated call (same idempotency key) is answered with the movement
   * of the first. Throws UNAUTHENTICATED or FORBIDDEN without the scope admin:credits. Problems: INVALID_INPUT, NOT_FOUND,
   * IDEMPOTENCY_MISMATCH.
   */
  grant(identity: CallIdentity, { idempotencyKey: key, ...input }: GrantInput): Promise<Granted> {
    const { userId: actorId } = requireScope(identity.viewer, 'admin:credits');
    const wanted = { ...input, note: checkedNote(input.note), credits: checkedCredits(input.credits) };
    const id = newId('crd');
    return this.records.transaction(async (tx) => {
      const { userId } = wanted;
      if (!isId('usr', userId) || !(await this.records.hasUser(tx, userId)))
        throw problem('NOT_FOUND', 'There is no account with this ID.', 'userId');
      const call = { ownerId: actorId, operation: 'grantCredits', key, input: wanted };
      const earlier = await claimIdempotencyKey(tx, call, id);
      const entry =
        earlier === null
          ? await this.write(tx, identity, { ...wanted, id, actorId })
          : await this.records.entry(tx, earlier);
      const account = await balanceOf(tx, userId);
      if (earlier === null) await announceCredits(tx, this.events, userId);
      return { account, entry };
    });
  }

  private async write(
    tx: UsersTransaction,
    identity: CallIdentity,
    { userId, ...wanted }: { userId: string; id: string; actorId: string; credits: number; note: string },
  ): Promise<CreditEntryRow> {
    const entry = await grant(tx, { ownerId: userId, ...wanted });
    const metadata = { entryId: entry.id, credits: entry.amount, asked: wanted.credits };
    await recordAudit(tx, identity, { action: 'credits.granted', subjectId: userId, metadata });
    return entry;
  }
}

function checkedCredits(credits: number): number {
  if (Number.isInteger(credits) && credits !== 0 && Math.abs(credits) <= MAX_GRANT) return credits;
  const message = `"credits" is a whole number from -${MAX_GRANT} to ${MAX_GRANT}, and not 0; it was ${credits}.`;
  throw problem('INVALID_INPUT', message, 'credits');
}

function checkedNote(text: string): string {
  const note = text.trim().normalize('NFC');
  const { length } = [...note];
  if (length >= 1 && length <= MAX_NOTE_LENGTH && !/(?![\n\r\t])[\p{Cc}\p{Cs}]/u.test(note)) return note;
  const message = `"note" has 1 to ${MAX_NOTE_LENGTH} characters and no control characters but line breaks; this one has ${length}.`;
  throw problem('INVALID_INPUT', message, 'note');
}
