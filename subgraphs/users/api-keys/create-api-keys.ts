import type { EventLog } from '../../../platform/events/event-log';
import type { VerifyApiKey } from '../../../platform/identity/api-key';
import type { UserRecords, UsersDatabase } from '../records';
import type { SecurityTrail } from '../security-trail';
import { ApiKeyRecords } from './api-key-records';
import { ApiKeys } from './api-keys';
import { KeyVerification } from './key-verification';

/** API keys in their two halves: what their owners do, and what gateways ask. */
export function createApiKeys(parts: {
  database: UsersDatabase;
  records: UserRecords;
  trail: SecurityTrail;
  events: EventLog;
  clock: () => Date;
}): { apiKeys: ApiKeys; verifyApiKey: VerifyApiKey } {
  const keyRecords = new ApiKeyRecords(parts.database);
  const verification = new KeyVerification(keyRecords, parts.clock);
  return {
    apiKeys: new ApiKeys({ ...parts, keyRecords }),
    verifyApiKey: (keyHash) => verification.verify(keyHash),
  };
}
