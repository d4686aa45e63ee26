import { readConnection, type Connection, type PageRequest } from '../../../platform/connection';
import { SautiError } from '../../../platform/errors';
import type { CreditEntryRow, CreditRecords, CreditState, PlanRow, Usage } from './credit-records';

const MAX_PERIOD_MS = 366 * 24 * 3_600_000;

/** An account's credits, and what was used of them. Who may see them is the caller's to decide. */
export class Credits {
  constructor(private readonly records: CreditRecords) {}

  of(ownerId: string): Promise<CreditState> {
    return this.records.state(ownerId);
  }

  /** From the smallest to the largest. */
  plans(): Promise<PlanRow[]> {
    return this.records.plans();
  }

  /** The plan with this id, or the first where the operator has taken it away. */
  async plan(id: string): Promise<PlanRow> {
    const plans = await this.records.plans();
    return plans.find((plan) => plan.id === id) ?? plans[0]!;
  }

  /** A page of an account's movements, newest first. Throws BAD_USER_INPUT for a page out of bounds. */
  entries(ownerId: string, page: PageRequest): Promise<Connection<CreditEntryRow>> {
    return readConnection(
      page,
      ({ position }) => String(position),
      (take, before) => this.records.entries(ownerId, take, before === null ? null : positionOf(before)),
    );
  }

  /** What an account used in a period. Throws BAD_USER_INPUT for one that ends before it begins, or is longer than 366 days. */
  usage(ownerId: string, period: { from: Date; to: Date }): Promise<Usage> {
    const lengthMs = period.to.getTime() - period.from.getTime();
    if (lengthMs > 0 && lengthMs <= MAX_PERIOD_MS) return this.records.usage(ownerId, period);
    throw new SautiError('BAD_USER_INPUT', 'A period ends behind its beginning, and is at most 366 days long.');
  }
}

/** Of a cursor that a client may have made itself. */
function positionOf(key: string): bigint {
  if (/^\d{1,18}$/.test(key)) return BigInt(key);
  throw new SautiError('BAD_USER_INPUT', '"after" is not a cursor of this list.');
}
