import type { Platform } from '../../../platform/platform';
import { createMailSeal } from '../../../platform/mail/mail';
import { AuditRecords } from '../audit/audit-records';
import type { UsersDatabase } from '../records';
import { Administration } from './administration';
import { AdministrationRecords } from './administration-records';
import { UserAccess, type ChoosePlan } from './user-access';

/** What administrators do. */
export interface AdministrationServices {
  administration: Administration;
  userAccess: UserAccess;
  auditRecords: AuditRecords;
}

export function createAdministration(
  { events, secret }: Pick<Platform, 'events' | 'secret'>,
  { database, choosePlan, clock }: { database: UsersDatabase; choosePlan: ChoosePlan; clock: () => Date },
): AdministrationServices {
  const records = new AdministrationRecords(database);
  return {
    administration: new Administration(records, clock),
    userAccess: new UserAccess(records, events, { choosePlan, mailSeal: createMailSeal(secret), clock }),
    auditRecords: new AuditRecords(database),
  };
}
