import { scalars } from '../../../platform/subgraph/scalars';
import type { Resolvers } from '../resolvers-types.generated';
import { AccountJob } from './AccountJob';
import { AuditEvent } from './AuditEvent';
import { CreditAccount } from './CreditAccount';
import { changeEmail } from './Mutation/changeEmail';
import { changePassword } from './Mutation/changePassword';
import { completeOAuth } from './Mutation/completeOAuth';
import { confirmTotp } from './Mutation/confirmTotp';
import { createApiKey } from './Mutation/createApiKey';
import { deleteAccount } from './Mutation/deleteAccount';
import { endSessions } from './Mutation/endSessions';
import { enrollTotp } from './Mutation/enrollTotp';
import { exportAccount } from './Mutation/exportAccount';
import { forgetTrustedDevices } from './Mutation/forgetTrustedDevices';
import { grantCredits } from './Mutation/grantCredits';
import { reauthenticate } from './Mutation/reauthenticate';
import { refreshSession } from './Mutation/refreshSession';
import { removeMfaFactor } from './Mutation/removeMfaFactor';
import { requestPasswordReset } from './Mutation/requestPasswordReset';
import { resetPassword } from './Mutation/resetPassword';
import { revokeApiKey } from './Mutation/revokeApiKey';
import { sendEmailVerification } from './Mutation/sendEmailVerification';
import { signIn } from './Mutation/signIn';
import { signUp } from './Mutation/signUp';
import { startOAuth } from './Mutation/startOAuth';
import { unlinkIdentity } from './Mutation/unlinkIdentity';
import { updatePreferences } from './Mutation/updatePreferences';
import { updateProfile } from './Mutation/updateProfile';
import { updateUserAccess } from './Mutation/updateUserAccess';
import { verifyEmail } from './Mutation/verifyEmail';
import { verifyMfa } from './Mutation/verifyMfa';
import { Preferences } from './Preferences';
import { Profile } from './Profile';
import { auditLog } from './Query/auditLog';
import { identityProviders } from './Query/identityProviders';
import { plans } from './Query/plans';
import { user } from './Query/user';
import { users } from './Query/users';
import { viewer } from './Query/viewer';
import { Session } from './Session';
import { viewerChanged } from './Subscription/viewerChanged';
import { User } from './User';
import { UserConnection } from './UserConnection';
import { ViewerChange } from './ViewerChange';

export const resolvers: Resolvers = {
  Query: { viewer, identityProviders, plans, user, users, auditLog },
  Mutation: {
    changeEmail,
    changePassword,
    requestPasswordReset,
    resetPassword,
    sendEmailVerification,
    verifyEmail,
    signUp,
    signIn,
    startOAuth,
    completeOAuth,
    refreshSession,
    endSessions,
    unlinkIdentity,
    updateProfile,
    updatePreferences,
    grantCredits,
    exportAccount,
    deleteAccount,
    updateUserAccess,
    confirmTotp,
    createApiKey,
    enrollTotp,
    forgetTrustedDevices,
    reauthenticate,
    removeMfaFactor,
    revokeApiKey,
    verifyMfa,
  },
  Subscription: { viewerChanged },
  User,
  Profile,
  Preferences,
  ViewerChange,
  ViewerStreamEvent: { __resolveType: (event) => ('userId' in event ? 'ViewerChange' : 'StreamGap') },
  Session,
  CreditAccount,
  UserConnection,
  AuditEvent,
  AccountJob,
  DateTime: scalars.DateTime,
  JSON: scalars.JSON,
  LanguageTag: scalars.LanguageTag,
  Long: scalars.Long,
  URL: scalars.URL,
};
