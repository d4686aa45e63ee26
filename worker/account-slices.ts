import type { AccountData } from '../platform/account-data';
import type { Platform } from '../platform/platform';
import { createFilesAccountData } from '../subgraphs/files/account-data';
import { createMediaAccountData } from '../subgraphs/media/account-data';
import { createNotificationAccountData } from '../subgraphs/notification/account-data';
import { createTranslationAccountData } from '../subgraphs/translation/account-data';

/**
 * What all subgraphs but users have of accounts, in the order in which they delete: jobs before what they work on, so that
 * nothing is written any more, and recordings before their files.
 */
export function accountSlices(platform: Platform): AccountData[] {
  return [
    createNotificationAccountData(platform),
    createMediaAccountData(platform),
    createFilesAccountData(platform),
    createTranslationAccountData(),
  ];
}
