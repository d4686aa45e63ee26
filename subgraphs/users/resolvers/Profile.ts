import { isSelf } from '../context';
import { dayOf } from '../profile/profile-checks';
import type { ProfileResolvers } from '../resolvers-types.generated';

export const Profile: ProfileResolvers = {
  firstName: (user, _args, context) => (isSelf(context, user.id) ? user.firstName : null),
  lastName: (user, _args, context) => (isSelf(context, user.id) ? user.lastName : null),
  birthDate: (user, _args, context) => (user.birthDate && isSelf(context, user.id) ? dayOf(user.birthDate) : null),
  avatar: async ({ avatarFileId }, _args, { loaders }) =>
    avatarFileId !== null && (await loaders.fileExists.load(avatarFileId)) ? { id: avatarFileId } : null,
};
