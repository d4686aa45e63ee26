import { scalars } from '../../../platform/subgraph/scalars';
import type { Resolvers } from '../resolvers-types.generated';
import { AccountJob } from './AccountJob';
import { AuditEvent } from './AuditEvent';
import { deleteAccount } from './Mutation/deleteAccount';
import { endSessions } from './Mutation/endSessions';
import { exportAccount } from './Mutation/exportAccount';
import { refreshSession } from './Mutation/refreshSession';
import { signIn } from './Mutation/signIn';
import { signUp } from './Mutation/signUp';
import { updateProfile } from './Mutation/updateProfile';
import { updateUserAccess } from './Mutation/updateUserAccess';
import { auditLog } from './Query/auditLog';
import { user } from './Query/user';
import { users } from './Query/users';
import { viewer } from './Query/viewer';
import { Session } from './Session';
import { User } from './User';
import { UserConnection } from './UserConnection';

export const resolvers: Resolvers = {
  Query: { viewer, user, users, auditLog },
  Mutation: {
    signUp,
    signIn,
    refreshSession,
    endSessions,
    updateProfile,
    exportAccount,
    deleteAccount,
    updateUserAccess,
  },
  User,
  UserConnection,
  Session,
  AuditEvent,
  AccountJob,
  JSON: scalars.JSON,
  DateTime: scalars.DateTime,
  LanguageTag: scalars.LanguageTag,
};
