import { signedInPayload } from '../../context';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const signUp: MutationResolvers['signUp'] = (_parent, { input }, context) =>
  signedInPayload(context, () =>
    context.accounts.signUp(
      { ...input, locale: input.locale ?? 'en', timeZone: input.timeZone ?? 'UTC' },
      context.identity,
    ),
  );
