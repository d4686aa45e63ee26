import type { SpeakerResolvers } from '../resolvers-types.generated';

export const Speaker: SpeakerResolvers = {
  user: ({ userId }) => (userId === null ? null : { id: userId }),
};
