import { scalars } from '../../../platform/subgraph/scalars';
import type { Resolvers } from '../resolvers-types.generated';
import { changeEmail } from './Mutation/changeEmail';
import { changePassword } from './Mutation/changePassword';
import { requestPasswordReset } from './Mutation/requestPasswordReset';
import { resetPassword } from './Mutation/resetPassword';
import { sendEmailVerification } from './Mutation/sendEmailVerification';
import { verifyEmail } from './Mutation/verifyEmail';
import { endSessions } from './Mutation/endSessions';
import { refreshSession } from './Mutation/refreshSession';
import { signIn } from './Mutation/signIn';
import { signUp } from './Mutation/signUp';
import { updatePreferences } from './Mutation/updatePreferences';
import { updateProfile } from './Mutation/updateProfile';
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
