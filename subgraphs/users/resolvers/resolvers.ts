import { scalars } from '../../../platform/subgraph/scalars';
import type { Resolvers } from '../resolvers-types.generated';
import { confirmTotp } from './Mutation/confirmTotp';
import { createApiKey } from './Mutation/createApiKey';
import { changeEmail } from './Mutation/changeEmail';
import { changePassword } from './Mutation/changePassword';
import { requestPasswordReset } from './Mutation/requestPasswordReset';
import { resetPassword } from './Mutation/resetPassword';
import { sendEmailVerification } from './Mutation/sendEmailVerification';
import { verifyEmail } from './Mutation/verifyEmail';
import { endSessions } from './Mutation/endSessions';
import { enrollTotp } from './Mutation/enrollTotp';
import { forgetTrustedDevices } from './Mutation/forgetTrustedDevices';
import { reauthenticate } from './Mutation/reauthenticate';
import { refreshSession } from './Mutation/refreshSession';
import { signIn } from './Mutation/signIn';
import { signUp } from './Mutation/signUp';
import { updatePreferences } from './Mutation/updatePreferences';
import { updateProfile } from './Mutation/updateProfile';
import { removeMfaFactor } from './Mutation/removeMfaFactor';
import { revokeApiKey } from './Mutation/revokeApiKey';
import { verifyMfa } from './Mutation/verifyMfa';
import { Preferences } from './Preferences';
import { Profile } from './Profile';
import { viewer } from './Query/viewer';
import { Session } from './Session';
import { viewerChanged } from './Subscription/viewerChanged';
import { User } from './User';
import { ViewerChange } from './ViewerChange';

export const resolvers: Resolvers = {
  Query: { viewer },
  Mutation: {
    changeEmail,
    changePassword,
    requestPasswordReset,
    resetPassword,
    sendEmailVerification,
    verifyEmail,
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
    updatePreferences,
  },
  Subscription: { viewerChanged },
  User,
  Profile,
  Preferences,
  ViewerChange,
  ViewerStreamEvent: { __resolveType: (event) => ('userId' in event ? 'ViewerChange' : 'StreamGap') },
  Session,
  DateTime: scalars.DateTime,
  JSON: scalars.JSON,
  LanguageTag: scalars.LanguageTag,
  URL: scalars.URL,
};
