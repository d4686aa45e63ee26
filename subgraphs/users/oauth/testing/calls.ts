import { USER_SCOPES } from '../../../../platform/identity/scopes';
import type { Viewer } from '../../../../platform/identity/viewer';
import { askFor } from '../../../../platform/testing/calls';
import type { UsersSubgraph } from '../../subgraph';

/** An address of an app that the settings of these tests allow. */
export const REDIRECT_URI = 'https://app.sauti.example/signed-in';

const START = `mutation ($input: StartOAuthInput!) {
  result: startOAuth(input: $input) { authorizationUrl state errors { code path retryAfterMs } } }`;
const COMPLETE = `mutation ($input: CompleteOAuthInput!) {
  result: completeOAuth(input: $input) {
    viewer { id } session { id assurance deviceName } tokens { accessToken } errors { code message path retryAfterMs } } }`;
const VIEWER = `{ viewer {
  id email hasPassword profile { displayName firstName lastName locale timeZone } identities { id provider subject email }
} }`;

interface Problem {
  code: string;
  path: string[] | null;
  retryAfterMs: number | null;
}
export interface Started {
  authorizationUrl: string;
  state: string;
  errors: Problem[];
}
export interface Completed {
  viewer: {
    id: string;
    email: string;
    hasPassword: boolean;
    profile: {
      displayName: string;
      firstName: string | null;
      lastName: string | null;
      locale: string;
      timeZone: string;
    };
    identities: { id: string; provider: string; subject: string; email: string | null }[];
  } | null;
  session: { id: string; assurance: string; deviceName: string | null } | null;
  tokens: { accessToken: string } | null;
  errors: (Problem & { message: string })[];
}

export async function start(users: UsersSubgraph, input: object = {}, viewer: Viewer | null = null): Promise<Started> {
  const whole = { provider: 'sample', redirectUri: REDIRECT_URI, ...input };
  return (await askFor<{ result: Started }>(users, viewer, START, { input: whole })).result;
}

/** Finishes a sign-in or a linking, and reads the account as whoever is signed in then. */
export async function complete(
  users: UsersSubgraph,
  input: URLSearchParams | object,
  viewer: Viewer | null = null,
): Promise<Completed> {
  const whole = input instanceof URLSearchParams ? Object.fromEntries(input) : input;
  const { result } = await askFor<{ result: Completed }>(users, viewer, COMPLETE, { input: whole });
  if (!result.viewer) return result;
  const present = { userId: result.viewer.id, sessionId: result.session!.id, scopes: [...USER_SCOPES] };
  const seen = await askFor<Pick<Completed, 'viewer'>>(users, present, VIEWER);
  return { ...result, viewer: seen.viewer };
}

/** Codes of the errors, each with where it points. */
export function codesOf({ errors }: { errors: Problem[] }): string[] {
  return errors.map(({ code, path }) => [code, ...(path?.slice(1) ?? [])].join(' '));
}
