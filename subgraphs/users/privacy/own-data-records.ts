import type { UsersDatabase } from '../records';

/** Queries for what is given out of an account. Pages are in the order of the ids, behind `afterId`. */
export class OwnDataRecords {
  constructor(private readonly database: UsersDatabase) {}

  /** The account with its proofs and keys, without secrets and their hashes, and its credits; null for an unknown id. */
  async account(id: string): Promise<object | null> {
    const user = await this.database.user.findUnique({
      where: { id },
      omit: { passwordHash: true, emailKey: true },
      include: {
        identities: true,
        apiKeys: { omit: { keyHash: true } },
        factors: { omit: { secret: true, lastStep: true } },
        recoveryCodes: { select: { createdAt: true, usedAt: true } },
        trustedDevices: { omit: { tokenHash: true } },
      },
    });
    if (!user) return null;
    const credits = await this.database.transaction((tx) => tx.creditAccount.findUnique({ where: { ownerId: id } }));
    return { ...user, credits };
  }

  sessions(userId: string, take: number, afterId: string) {
    return this.database.session.findMany({ where: { userId, id: { gt: afterId } }, orderBy: { id: 'asc' }, take });
  }

  /** Without who gave them. */
  creditEntries(ownerId: string, take: number, afterId: string) {
    return this.database.transaction((tx) =>
      tx.creditEntry.findMany({
        where: { ownerId, id: { gt: afterId } },
        omit: { actorId: true },
        orderBy: { id: 'asc' },
        take,
      }),
    );
  }

  /** What it did itself: who else did something to it, and from where, is theirs. */
  auditEvents(actorId: string, take: number, afterId: string) {
    return this.database.auditEvent.findMany({
      where: { actorId, id: { gt: afterId } },
      orderBy: { id: 'asc' },
      take,
    });
  }
}
