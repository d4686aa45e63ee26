import { requireViewer } from '../../../../platform/identity/viewer';
import type { QueryResolvers } from '../../resolvers-types.generated';

export const detectLanguage: QueryResolvers['detectLanguage'] = (
  _parent,
  { text, candidates },
  { viewer, translations },
) => {
  requireViewer(viewer);
  return translations.detectLanguage(text, candidates ?? null);
};
