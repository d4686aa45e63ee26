import { scalars } from '../../../platform/subgraph/scalars';
import type { Resolvers } from '../resolvers-types.generated';
import { confirmTotp } from './Mutation/confirmTotp';
import { createApiKey } from './Mutation/createApiKey';
import { endSessions } from './Mutation/endSessions';
import { enrollTotp } from './Mutation/enrollTotp';
import { forgetTrustedDevices } from './Mutation/forgetTrustedDevices';
import { reauthenticate } from './Mutation/reauthenticate';
import { refreshSession } from './Mutation/refreshSession';
import { signIn } from './Mutation/signIn';
import { signUp } from './Mutation/signUp';
import { updateProfile } from './Mutation/updateProfile';
import { removeMfaFactor } from './Mutation/removeMfaFactor';
import { revokeApiKey } from './Mutation/revokeApiKey';
import { verifyMfa } from './Mutation/verifyMfa';
import { viewer } from './Query/viewer';
import { Session } from './Session';
import { User } from './User';

export const resolvers: Resolvers = {
  Query: { viewer },
  Mutation: {
    signUp,
    signIn,
    refreshSession,
    endSessions,
    updateProfile,
    confirmTotp,
    createApiKey,
    enrollTotp,
    forgetTrustedDevices,
    reauthenticate,
    removeMfaFactor,
    revokeApiKey,
    verifyMfa,
  },
  User,
  Session,
  DateTime: scalars.DateTime,
  LanguageTag: scalars.LanguageTag,
};
