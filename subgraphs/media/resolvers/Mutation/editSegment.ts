import { asPayload } from '../../../../platform/errors';
import { requireViewer } from '../../../../platform/identity/viewer';
import { SegmentConflict } from '../../editing/segment-conflict';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const editSegment: MutationResolvers['editSegment'] = async (_parent, { input }, { viewer, edits, signal }) => {
  try {
    return await asPayload(async () => ({ segment: await edits.edit(requireViewer(viewer), input, signal) }), {
      segment: null,
    });
  } catch (error) {
    if (error instanceof SegmentConflict) return { segment: error.segment, errors: [error.problem] };
    throw error;
  }
};
