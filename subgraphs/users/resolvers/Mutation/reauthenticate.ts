import { UserProblemError } from '../../../../platform/errors';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const reauthenticate: MutationResolvers['reauthenticate'] = async (
  _parent,
  { input },
  { identity, reauthentication },
) => {
  try {
    await reauthentication.prove(identity, input);
    return { ok: true, errors: [] };
  } catch (error) {
    if (error instanceof UserProblemError) return { ok: false, errors: [error.problem] };
    throw error;
  }
};
