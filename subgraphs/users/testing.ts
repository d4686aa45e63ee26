import { createHmac } from 'node:crypto';
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
  /** Another session of theirs; for accounts without a second factor. */
  signIn(email: string): Promise<Viewer>;
  /** The field `result` of the answer; fails when there are errors. */
  result<Result>(query: string, variables?: Record<string, unknown>, viewer?: Viewer | null): Promise<Result>;
  /** The codes of the top-level errors. */
  errorsOf(query: string, variables?: Record<string, unknown>, viewer?: Viewer | null): Promise<unknown[]>;
  /** What the audit log says of these subjects, oldest first. */
  auditOf(...subjectIds: string[]): Promise<string[]>;
  /** The subjects of the mails to an address, oldest first. */
  mailsTo(email: string): Promise<string[]>;
}

interface Entered {
  tokens: { accessToken: string };
}
const SIGN_UP = 'mutation ($input: SignUpInput!) { result: signUp(input: $input) { tokens { accessToken } } }';
const SIGN_IN = 'mutation ($input: SignInInput!) { result: signIn(input: $input) { tokens { accessToken } } }';

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
  const viewerOf = async ({ tokens }: Entered): Promise<Viewer> =>
    verifyAccessToken(tokens.accessToken, await users.jwks()).viewer;
  return {
    opened,
    users,
    clock,
    result,
    async aPerson() {
      const email = `person-${++people}@sauti.example`;
      const input = { email, password: PASSWORD, displayName: 'Amina' };
      return { email, viewer: await viewerOf(await result<Entered>(SIGN_UP, { input })) };
    },
    signIn: async (email) => viewerOf(await result<Entered>(SIGN_IN, { input: { email, password: PASSWORD } })),
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

/** What an authenticator app shows for a base32 secret (RFC 4226 §5.3, RFC 6238), so many steps of 30 s after `ms`. */
export function codeOfApp(secret: string, ms: number, steps = 0): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(ms / 30_000) + steps));
  const digest = createHmac('sha1', base32Bytes(secret)).update(counter).digest();
  const offset = digest[19]! & 0x0f;
  return String((digest.readUInt32BE(offset) & 0x7fff_ffff) % 1_000_000).padStart(6, '0');
}

function base32Bytes(text: string): Buffer {
  const bits = [...text].map((letter) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'),
  );
  return Buffer.from(
    bits
      .join('')
      .match(/.{8}/g)!
      .map((byte) => Number.parseInt(byte, 2)),
  );
}
