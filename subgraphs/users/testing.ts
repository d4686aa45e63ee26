import { verifyAccessToken } from '../../platform/identity/access-token';
import type { Viewer } from '../../platform/identity/viewer';
import { ask, askFor } from '../../platform/testing/calls';
import { openTestPlatform, type TestPlatform } from '../../platform/testing/platform';
import { createUsersSubgraph, type UsersSubgraph } from './subgraph';

export const PASSWORD = 'correct horse battery staple';

/** The problem of a payload, as tests name it. */
export interface Problem {
  code: string;
  path: string[] | null;
}

/** The users subgraph with people in it, and a clock that a test sets. */
export interface UsersStage extends AsyncDisposable {
  readonly opened: TestPlatform;
  readonly users: UsersSubgraph;
  /** What the subgraph takes for now; starts at the real time. */
  readonly clock: { ms: number };
  /** Somebody new, in their first session. */
  aPerson(): Promise<{ viewer: Viewer; email: string }>;
  /** The field `result` of the answer; fails when there are errors. */
  result<Result>(query: string, variables?: Record<string, unknown>, viewer?: Viewer | null): Promise<Result>;
  /** The codes of the top-level errors. */
  errorsOf(query: string, variables?: Record<string, unknown>, viewer?: Viewer | null): Promise<unknown[]>;
  /** What the audit log says of these subjects, oldest first. */
  auditOf(...subjectIds: string[]): Promise<string[]>;
  /** The subjects of the mails to an address, oldest first. */
  mailsTo(email: string): Promise<string[]>;
}

export async function openUsersStage(): Promise<UsersStage> {
  const opened = await openTestPlatform();
  const clock = { ms: Date.now() };
  const users = createUsersSubgraph(opened.platform, () => new Date(clock.ms));
  const { prisma } = opened.platform.database;
  let people = 0;
  const result: UsersStage['result'] = async <Result>(
    query: string,
    variables: Record<string, unknown> = {},
    viewer: Viewer | null = null,
  ) => (await askFor<{ result: Result }>(users, viewer, query, variables)).result;
  return {
    opened,
    users,
    clock,
    result,
    async aPerson() {
      const email = `person-${++people}@sauti.example`;
      const { tokens } = await result<{ tokens: { accessToken: string } }>(
        'mutation ($input: SignUpInput!) { result: signUp(input: $input) { tokens { accessToken } } }',
        { input: { email, password: PASSWORD, displayName: 'Amina' } },
      );
      return { email, viewer: verifyAccessToken(tokens.accessToken, await users.jwks()).viewer };
    },
    async errorsOf(query, variables = {}, viewer = null) {
      const { errors = [] } = await ask(users, viewer, query, variables);
      return errors.map(({ extensions }) => extensions?.['code']);
    },
    async auditOf(...subjectIds) {
      const rows = await prisma.auditEvent.findMany({
        where: { subjectId: { in: subjectIds } },
        orderBy: { at: 'asc' },
      });
      return rows.map(({ action }) => action);
    },
    async mailsTo(email) {
      const rows = await prisma.mail.findMany({ where: { recipient: email }, orderBy: { id: 'asc' } });
      return rows.map(({ subject }) => subject);
    },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}
