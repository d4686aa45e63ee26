import DataLoader from 'dataloader';
import { asPayload } from '../../platform/errors';
import { hasScope } from '../../platform/identity/scopes';
import type { CallIdentity, Viewer } from '../../platform/identity/viewer';
import { isId } from '../../platform/ids';
import type { AccountServices } from './accounts/create-accounts';
import type { MfaNeeded } from './accounts/sign-in';
import type { AdministrationServices } from './administration/create-administration';
import type { AuditEventRow } from './audit/audit-records';
import type { CreditGrants } from './credits/credit-grants';
import type { Credits } from './credits/credits';
import type { UsersProblemCode } from './errors';
import type { ApiKeys } from './api-keys/api-keys';
import type { Factors } from './factors/factors';
import type { MfaSignIn } from './factors/mfa-sign-in';
import type { Reauthentication } from './factors/reauthentication';
import type { IdentityRecords, IdentityRow } from './oauth/identity-records';
import type { Linked, OAuth } from './oauth/oauth';
import { createAccountJobLoaders, type AccountJobLoaders } from './privacy/account-jobs';
import type { PrivacyServices } from './privacy/create-privacy';
import type { Preferences } from './profile/preferences';
import type { ProfileRecords } from './profile/profile-records';
import type { Profiles } from './profile/profiles';
import type { ViewerChanges } from './profile/viewer-changes';
import { cookieSessionOf, type CookieSession } from './sessions/cookie-session';
import type { SessionRow, UserRecords, UserRow } from './records';
import type { SignedIn, Sessions } from './sessions/sessions';

export interface UsersServices extends AccountServices, AdministrationServices, PrivacyServices {
  sessions: Sessions;
  factors: Factors;
  mfaSignIn: MfaSignIn;
  reauthentication: Reauthentication;
  apiKeys: ApiKeys;
  credits: Credits;
  creditGrants: CreditGrants;
  records: UserRecords;
  clock: () => Date;
  profiles: Profiles;
  preferences: Preferences;
  viewerChanges: ViewerChanges;
  profileRecords: ProfileRecords;
  oauth: OAuth;
  identityRecords: IdentityRecords;
}

/** What one request carries. */
export interface UsersContext extends UsersServices {
  viewer: Viewer | null;
  /** Who asks, from where. */
  identity: CallIdentity;
  /** Accounts that signed in within this request; see `isShownAtSignIn`. */
  signedIn: Set<string>;
  /** Null for a client that keeps its tokens itself. */
  cookieSession: CookieSession | null;
  loaders: Loaders;
  signal: AbortSignal;
}

interface Loaders extends AccountJobLoaders {
  /** Any account; only for places that may name it. */
  anyUser: DataLoader<string, UserRow | null>;
  /** The viewer's own account, for administrators any; null for every other id. */
  shownUser: DataLoader<string, UserRow | null>;
  /** Null without the scope to read the audit log. */
  shownAuditEvent: DataLoader<string, AuditEventRow | null>;
  /** The viewer's own account; null for any other id. */
  ownUser: DataLoader<string, UserRow | null>;
  ownSession: DataLoader<string, SessionRow | null>;
  /** Whether a file is still there. */
  fileExists: DataLoader<string, boolean>;
  /** The identities that are linked to an account. */
  identitiesOf: DataLoader<string, IdentityRow[]>;
}

export function createContext(services: UsersServices, identity: CallIdentity, signal: AbortSignal): UsersContext {
  const { viewer } = identity;
  return {
    ...services,
    viewer,
    identity,
    signedIn: new Set(),
    cookieSession: cookieSessionOf(identity),
    loaders: createLoaders(services, viewer),
    signal,
  };
}

/** Whether the caller may be shown what only the account itself sees: not a key without the scope for it. */
export function isSelf({ viewer }: UsersContext, userId: string): boolean {
  return viewer?.userId === userId && hasScope(viewer, 'account:read');
}

/** Whether the caller may be shown what only the account itself and administrators see. */
export function isShown(context: UsersContext, userId: string): boolean {
  return isSelf(context, userId) || hasScope(context.viewer, 'admin:users');
}

/** The same, also for whoever has signed in within this request: the few fields of an account that its sign-in shows. */
export function isShownAtSignIn(context: UsersContext, userId: string): boolean {
  return context.signedIn.has(userId) || isShown(context, userId);
}

/** How a mutation that signs in may end. */
type SignInOutcome = (SignedIn & { deviceToken?: string | null }) | MfaNeeded | Linked | { verificationSent: true };

/** The payload of a mutation that signs in; from here on the account is shown what a sign-in shows. In cookie mode tokens are not in it. */
export async function signedInPayload({ signedIn, cookieSession }: UsersContext, signIn: () => Promise<SignInOutcome>) {
  const { outcome, errors } = await asPayload<{ outcome: SignInOutcome }, UsersProblemCode>(
    async () => ({ outcome: await signIn() }),
    { outcome: null },
  );
  if (outcome && 'viewer' in outcome) signedIn.add(outcome.viewer.id);
  const payload = { ...NOBODY_SIGNED_IN, ...outcome, errors };
  return cookieSession ? cookieSession.take(payload) : payload;
}

const NOBODY_SIGNED_IN = {
  viewer: null,
  session: null,
  tokens: null,
  accessExpiresAt: null,
  mfa: null,
  verificationSent: false,
  deviceToken: null,
};

function createLoaders(services: UsersServices, viewer: Viewer | null): Loaders {
  const { records, profileRecords, identityRecords, auditRecords, privacyRecords } = services;
  const usersByIds = async (ids: readonly string[]): Promise<(UserRow | null)[]> => {
    const possible = ids.filter((id) => isId('usr', id));
    const rows = possible.length > 0 ? await records.usersByIds(possible) : [];
    return ids.map((id) => rows.find((row) => row.id === id) ?? null);
  };
  const mayShow = (id: string): boolean => viewer?.userId === id || hasScope(viewer, 'admin:users');
  return {
    ...createAccountJobLoaders(privacyRecords, viewer),
    anyUser: new DataLoader(usersByIds),
    shownUser: new DataLoader((ids) => usersByIds(ids.map((id) => (mayShow(id) ? id : '')))),
    shownAuditEvent: new DataLoader(async (ids) => {
      const possible = hasScope(viewer, 'admin:audit') ? ids.filter((id) => isId('aud', id)) : [];
      const rows = possible.length > 0 ? await auditRecords.eventsByIds(possible) : [];
      return ids.map((id) => rows.find((row) => row.id === id) ?? null);
    }),
    ownUser: new DataLoader(async (ids) => {
      const rows = viewer ? await records.usersByIds(ids.filter((id) => id === viewer.userId)) : [];
      return ids.map((id) => rows.find((row) => row.id === id) ?? null);
    }),
    ownSession: new DataLoader(async (ids) => {
      const possible = ids.filter((id) => isId('ses', id));
      const rows = viewer && possible.length > 0 ? await records.sessionsByIds(possible, viewer.userId) : [];
      return ids.map((id) => rows.find((row) => row.id === id) ?? null);
    }),
    fileExists: new DataLoader(async (ids) => {
      const existing = new Set(await profileRecords.existingFiles(ids));
      return ids.map((id) => existing.has(id));
    }),
    identitiesOf: new DataLoader(async (userIds) => {
      const rows = await identityRecords.ofUsers(userIds);
      return userIds.map((userId) => rows.filter((row) => row.userId === userId));
    }),
  };
}
