import { UserProblemError } from '../../../platform/errors';
import type { Viewer } from '../../../platform/identity/viewer';
import type { Seal } from '../../../platform/seal';
import type { UsersProblemCode } from '../errors';
import { issueToken, lockToken, useToken } from '../one-time-tokens';
import type { UserRecords } from '../records';
import type { Handshake } from './identity-provider';

/** How long the user has at the provider. */
const STATE_MS = 10 * 60_000;

/** What is remembered while somebody is at a provider. */
export interface Begun {
  provider: string;
  redirectUri: string;
  /** The session that links; null for a sign-in. */
  sessionId: string | null;
  handshake: Handshake;
}

/** States of sign-ins that have begun. Each works once, within ten minutes; its secrets are kept sealed. */
export class OAuthStates {
  constructor(
    private readonly records: UserRecords,
    private readonly seal: Seal,
    private readonly clock: () => Date,
  ) {}

  /** Answers the new state. */
  async keep(linking: Viewer | null, { handshake, ...begun }: Omit<Begun, 'sessionId'>): Promise<string> {
    const sealed = this.seal.seal(JSON.stringify(handshake));
    const data = { ...begun, sessionId: linking?.sessionId ?? null, handshake: sealed };
    const { token } = await this.records.transaction((tx) =>
      issueToken(tx, this.clock(), {
        kind: 'OAUTH_STATE',
        userId: linking?.userId ?? null,
        data,
        lifetimeMs: STATE_MS,
      }),
    );
    return token;
  }

  /**
   * Uses a state up, in a transaction of its own: what fails afterwards does not make it good again. For somebody whose it is
   * not it stays. Throws INVALID_TOKEN when it is unknown, used, too old or somebody else's.
   */
  take(state: string, viewer: Viewer | null): Promise<Begun> {
    return this.records.transaction(async (tx) => {
      const row = (await lockToken(tx, this.clock(), state, ['OAUTH_STATE'])) ?? refuseState();
      const { handshake, ...begun } = row.data as unknown as Omit<Begun, 'handshake'> & { handshake: string };
      // Whoever is made to finish what somebody else began would link their identity to that account.
      const isTheirs = begun.sessionId === null || begun.sessionId === viewer?.sessionId;
      if (!isTheirs) refuseState();
      await useToken(tx, this.clock(), row);
      return { ...begun, handshake: JSON.parse(this.seal.unseal(handshake)) as Handshake };
    });
  }
}

export function refuseState(): never {
  throw new UserProblemError<UsersProblemCode>({
    code: 'INVALID_TOKEN',
    message: 'This state is unknown, used, or older than ten minutes. Begin again with startOAuth.',
    path: ['input', 'state'],
  });
}
