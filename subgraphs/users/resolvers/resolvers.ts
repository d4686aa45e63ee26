import { scalars } from '../../../platform/subgraph/scalars';
import type { Resolvers } from '../resolvers-types.generated';
import { endSessions } from './Mutation/endSessions';
import { refreshSession } from './Mutation/refreshSession';
import { signIn } from './Mutation/signIn';
import { signUp } from './Mutation/signUp';
import { updateProfile } from './Mutation/updateProfile';
import { viewer } from './Query/viewer';
import { Session } from './Session';
import { User } from './User';

export const resolvers: Resolvers = {
  Query: { viewer },
  Mutation: { signUp, signIn, refreshSession, endSessions, updateProfile },
  User,
  Session,
  DateTime: scalars.DateTime,
  LanguageTag: scalars.LanguageTag,
};
