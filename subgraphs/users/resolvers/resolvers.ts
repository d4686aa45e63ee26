import { scalars } from '../../../platform/subgraph/scalars';
import type { Resolvers } from '../resolvers-types.generated';
import { CreditAccount } from './CreditAccount';
import { endSessions } from './Mutation/endSessions';
import { grantCredits } from './Mutation/grantCredits';
import { refreshSession } from './Mutation/refreshSession';
import { signIn } from './Mutation/signIn';
import { signUp } from './Mutation/signUp';
import { updateProfile } from './Mutation/updateProfile';
import { plans } from './Query/plans';
import { viewer } from './Query/viewer';
import { Session } from './Session';
import { User } from './User';

export const resolvers: Resolvers = {
  Query: { viewer, plans },
  Mutation: { signUp, signIn, refreshSession, endSessions, updateProfile, grantCredits },
  User,
  Session,
  CreditAccount,
  DateTime: scalars.DateTime,
  LanguageTag: scalars.LanguageTag,
  Long: scalars.Long,
};
