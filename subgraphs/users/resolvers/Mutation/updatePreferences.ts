import { asPayload } from '../../../../platform/errors';
import { requireViewer } from '../../../../platform/identity/viewer';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const updatePreferences: MutationResolvers['updatePreferences'] = (
  _parent,
  { input },
  { viewer, preferences },
) => asPayload(async () => ({ user: await preferences.update(requireViewer(viewer), input) }), { user: null });
