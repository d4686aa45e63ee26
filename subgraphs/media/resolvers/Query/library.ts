import { readConnection } from '../../../../platform/connection';
import { requireViewer } from '../../../../platform/identity/viewer';
import type { MediaRow } from '../../records';
import type { QueryResolvers } from '../../resolvers-types.generated';

export const library: QueryResolvers['library'] = (_parent, { filter, ...page }, { viewer, records }) => {
  const { userId } = requireViewer(viewer);
  return readConnection<MediaRow>(
    page,
    (media) => media.id,
    (take, before) => records.library(userId, filter ?? {}, take, before),
  );
};
