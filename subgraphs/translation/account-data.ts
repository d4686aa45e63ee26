import type { AccountData } from '../../platform/account-data';

/** This slice keeps nothing of accounts: translations of transcripts belong to media, other texts are not stored. */
export function createTranslationAccountData(): AccountData {
  return {
    subgraph: 'translation',
    export: async () => ({}),
    delete: async ({ step }) => void (await step(async () => ({}))),
  };
}
