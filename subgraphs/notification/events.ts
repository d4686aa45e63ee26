import { topicFamily } from '../../platform/events/topic';

/** A notification is new or was marked. */
export interface InboxEvent {
  notificationId: string;
}

/** All changes of one owner's inbox. */
export const inboxTopic = topicFamily<InboxEvent>('inbox');
