import type { CallIdentity, ClientFacts, Viewer } from '../../../platform/identity/viewer';
import { verifyAccessToken } from '../../../platform/identity/access-token';
import { createMailSeal, type MailBody } from '../../../platform/mail/mail';
import { openTestPlatform, type TestPlatform } from '../../../platform/testing/platform';
import { DEFAULT_USERS_SETTINGS } from '../users-settings';
import { createUsersSubgraph, type UsersSubgraph } from '../subgraph';
import { DEFAULT_ACCOUNT_SETTINGS, type AccountSettings } from './account-settings';

export const PASSWORD = 'correct horse battery staple';

const SIGNED_IN = `viewer { id email emailVerified } session { id } mfa { token } verificationSent
  tokens { accessToken refreshToken session { id } } errors { code message path retryAfterMs }`;
const DOCUMENTS = {
  signUp: `mutation ($input: SignUpInput!) { result: signUp(input: $input) { ${SIGNED_IN} } }`,
  signIn: `mutation ($input: SignInInput!) { result: signIn(input: $input) { ${SIGNED_IN} } }`,
  refreshSession: `mutation ($input: RefreshSessionInput!) { result: refreshSession(input: $input) { ${SIGNED_IN} } }`,
  verifyEmail: 'mutation ($input: TokenInput!) { result: verifyEmail(input: $input) { ok errors { code path } } }',
  sendEmailVerification: 'mutation { result: sendEmailVerification { ok errors { code path retryAfterMs } } }',
  requestPasswordReset:
    'mutation ($input: EmailInput!) { result: requestPasswordReset(input: $input) { ok errors { code path } } }',
  resetPassword:
    'mutation ($input: ResetPasswordInput!) { result: resetPassword(input: $input) { ok errors { code path } } }',
  changePassword:
    'mutation ($input: ChangePasswordInput!) { result: changePassword(input: $input) { user { id } errors { code path retryAfterMs } } }',
  changeEmail: 'mutation ($input: EmailInput!) { result: changeEmail(input: $input) { ok errors { code path } } }',
};

/** What one of the mutations answered: the fields that it has. */
export interface Answer {
  viewer: { id: string; email: string; emailVerified: boolean } | null;
  session: { id: string } | null;
  mfa: { token: string } | null;
  verificationSent: boolean;
  tokens: { accessToken: string; refreshToken: string; session: { id: string } } | null;
  user: { id: string } | null;
  ok: boolean;
  errors: { code: string; message: string; path: string[] | null; retryAfterMs: number | null }[];
}

export interface SentMail extends MailBody {
  to: string;
  kind: string;
  subject: string;
}

/** A users subgraph whose clock a test moves, with the mails that it has queued. */
export class TestAccounts implements AsyncDisposable {
  private constructor(
    readonly test: TestPlatform,
    readonly users: UsersSubgraph,
    private readonly time: { nowMs: number },
  ) {}

  static async open(settings: Partial<AccountSettings> = {}, test?: TestPlatform): Promise<TestAccounts> {
    const opened = test ?? (await openTestPlatform());
    const time = { nowMs: Date.now() };
    const users = createUsersSubgraph(opened.platform, () => new Date(time.nowMs), {
      ...DEFAULT_USERS_SETTINGS,
      accounts: { ...DEFAULT_ACCOUNT_SETTINGS, steadyMs: 0, ...settings },
    });
    return new TestAccounts(opened, users, time);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.test[Symbol.asyncDispose]();
  }

  later(ms: number): void {
    this.time.nowMs += ms;
  }

  /** Calls a mutation with its input, as the gateway does for this caller. */
  async call(
    mutation: keyof typeof DOCUMENTS,
    input: Record<string, unknown> = {},
    by: { viewer?: Viewer | null; client?: Partial<ClientFacts> } = {},
  ): Promise<Answer> {
    const client: ClientFacts = { ipAddress: '192.0.2.7', userAgent: 'Test', cookies: null, ...by.client };
    const identity: CallIdentity = { viewer: by.viewer ?? null, requestId: 'test', client };
    const { data, errors } = await this.users.execute(
      { query: DOCUMENTS[mutation], variables: { input } },
      { identity, signal: new AbortController().signal },
    );
    if (errors) throw new Error(JSON.stringify(errors));
    return data!['result'] as Answer;
  }

  async codes(...parameters: Parameters<TestAccounts['call']>): Promise<string[]> {
    return (await this.call(...parameters)).errors.map(({ code }) => code);
  }

  signUp(email: string, changes: Record<string, unknown> = {}): Promise<Answer> {
    return this.call('signUp', { email, password: PASSWORD, displayName: 'Amina', ...changes });
  }

  signIn(email: string, password = PASSWORD): Promise<Answer> {
    return this.call('signIn', { email, password });
  }

  /** Who the answer signed in. */
  async viewerOf({ tokens }: Answer): Promise<Viewer> {
    return verifyAccessToken(tokens!.accessToken, await this.users.jwks()).viewer;
  }

  /** All mails to this address, oldest first. */
  async mailsTo(to: string): Promise<SentMail[]> {
    const { database, secret } = this.test.platform;
    const rows = await database.prisma.mail.findMany({ where: { recipient: to }, orderBy: { id: 'asc' } });
    const seal = createMailSeal(secret);
    return rows.map((row) => ({ ...row, to: row.recipient, ...(JSON.parse(seal.unseal(row.body!)) as MailBody) }));
  }

  /** The token in the newest mail of this kind to this address. */
  async tokenTo(to: string, kind: string): Promise<string> {
    const mail = (await this.mailsTo(to)).findLast((one) => one.kind === kind);
    const token = /#token=([\w-]+)/.exec(mail?.text ?? '')?.[1];
    if (!token) throw new Error(`No mail of the kind ${kind} with a token was sent to ${to}.`);
    return token;
  }

  auditOf(subjectId: string): Promise<{ action: string }[]> {
    const where = { OR: [{ subjectId }, { actorId: subjectId }] };
    return this.test.platform.database.prisma.auditEvent.findMany({ where, orderBy: { id: 'asc' } });
  }
}
