import { UserProblemError } from '../../../../platform/errors';
import { requireViewer } from '../../../../platform/identity/viewer';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const translateText: MutationResolvers['translateText'] = async (
  _parent,
  { input },
  { viewer, translations, signal },
) => {
  requireViewer(viewer);
  try {
    return { translations: await translations.translateTexts(input, signal), errors: [] };
  } catch (error) {
    if (error instanceof UserProblemError) return { translations: [], errors: [error.problem] };
    throw error;
  }
};
