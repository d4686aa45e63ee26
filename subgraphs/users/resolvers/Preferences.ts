import { personaOf } from '../profile/persona';
import type { PreferencesResolvers } from '../resolvers-types.generated';

export const Preferences: PreferencesResolvers = {
  version: (user) => user.preferencesVersion,
  assistant: (user) => personaOf(user.preferences),
  values: (user) => user.preferences as object,
  updatedAt: (user) => user.preferencesAt,
};
