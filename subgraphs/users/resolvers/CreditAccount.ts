import type { CreditAccountResolvers } from '../resolvers-types.generated';

export const CreditAccount: CreditAccountResolvers = {
  plan: ({ planId }, _args, { credits }) => credits.plan(planId),
  entries: ({ ownerId }, page, { credits }) => credits.entries(ownerId, page),
};
