import { requireViewer } from '../../../platform/identity/viewer';
import type { NotificationContext } from '../context';

/** The field `unread` of each type that has it: counted only when it is selected, as of that moment. */
export const unread = (_parent: unknown, _args: unknown, { viewer, inbox }: NotificationContext): Promise<number> =>
  inbox.unreadCount(requireViewer(viewer));
