import { topicFamily } from '../events/topic';

/** As in the graph's enum ViewerChangeReason. */
export type ViewerChangeReason = 'PROFILE' | 'PREFERENCES' | 'EMAIL' | 'SECURITY' | 'ACCESS' | 'CREDITS';

/** Changes of one account, for its owner's devices. */
export const viewerTopic = topicFamily<{ reason: ViewerChangeReason }>('viewer');
