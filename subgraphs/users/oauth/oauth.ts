import { randomBytes } from 'node:crypto';
import { requireViewer, type CallIdentity, type Viewer } from '../../../platform/identity/viewer';
import type { MfaNeeded } from '../accounts/sign-in';
import { problem } from '../input';
import { checkedOptionalName } from '../profile/profile-checks';
import type { SessionRow, UserRecords, UserRow } from '../records';
import { requireFreshProof } from '../sessions/fresh-proof';
import type { SignedIn } from '../sessions/sessions';
import type { Identities } from './identities';
import type { Handshake, IdentityProvider, ProvenIdentity } from './identity-provider';
import { refuseState, type OAuthStates } from './oauth-states';

/** Nobody's codes are longer. */
const MAX_CODE_LENGTH = 4_096;

export interface OAuthStart {
  provider: string;
  redirectUri: string;
  link?: boolean | null | undefined;
}

export interface OAuthAnswer {
  state: string;
  code: string;
  iss?: string | null | undefined;
  deviceName?: string | null | undefined;
  deviceToken?: string | null | undefined;
}

/** The viewer's account, when an identity was linked to it. */
export interface Linked {
  viewer: UserRow;
  session: SessionRow;
}

export interface OAuthParts {
  providers: ReadonlyMap<string, IdentityProvider>;
  redirectUris: readonly string[];
  identities: Identities;
  records: UserRecords;
  states: OAuthStates;
  clock: () => Date;
}

/** Signing in, and linking, with OpenID Connect: authorization code, PKCE, nonce, and a state that works once. */
export class OAuth {
  constructor(private readonly parts: OAuthParts) {}

  /** Where one can sign in, in the operator's order. */
  providers(): { id: string; name: string }[] {
    return [...this.parts.providers.values()].map(({ id, name }) => ({ id, name }));
  }

  /**
   * Begins a sign-in, or with `link` the linking to the viewer's account, which needs a fresh proof and a verified address. The
   * state works for ten minutes, once. Throws NOT_FOUND, INVALID_INPUT for a redirect address that the operator has not listed,
   * INVALID_STATE for an address that is not verified, REAUTHENTICATION_REQUIRED, UNAUTHENTICATED, and what the provider throws.
   */
  async start(input: OAuthStart, viewer: Viewer | null): Promise<{ authorizationUrl: string; state: string }> {
    const { redirectUri } = input;
    const linking = input.link ? await this.mayLink(viewer) : null;
    const provider = this.parts.providers.get(input.provider);
    if (!provider) throw problem('NOT_FOUND', 'There is no such identity provider; see identityProviders.', 'provider');
    if (!this.parts.redirectUris.includes(redirectUri))
      throw problem('INVALID_INPUT', 'This redirect address is not among those the operator allows.', 'redirectUri');
    const handshake: Handshake = { verifier: randomText(), nonce: randomText() };
    const state = await this.parts.states.keep(linking, { provider: provider.id, redirectUri, handshake });
    return { authorizationUrl: await provider.authorizationUrl({ redirectUri, state, handshake }), state };
  }

  /**
   * Finishes what `start` began. The state is used up, whatever comes of it; only for somebody whose it is not it stays. Throws
   * INVALID_TOKEN for a state that is unknown, used, too old or somebody else's, and what the provider and `Identities` throw.
   */
  async complete(answer: OAuthAnswer, identity: CallIdentity): Promise<SignedIn | MfaNeeded | Linked> {
    const { identities, providers, states } = this.parts;
    const deviceName = checkedOptionalName(answer.deviceName ?? null, 'deviceName');
    const begun = await states.take(answer.state, identity.viewer);
    const linking = begun.sessionId === null ? null : await this.freshlyProven(identity.viewer);
    const provider = providers.get(begun.provider) ?? refuseState();
    const { code, iss = null } = answer;
    if (code.length > MAX_CODE_LENGTH) throw problem('INVALID_TOKEN', 'This is no code of a provider.', 'code');
    const proven = await provider.redeem({ ...begun, answer: { code, iss } });
    if (linking) return this.link(linking, proven, identity);
    const deviceToken = answer.deviceToken ?? identity.client?.cookies?.deviceToken ?? null;
    return identities.signIn(proven, { assurance: 'IDENTITY_PROVIDER', deviceName, deviceToken, identity });
  }

  /** Takes the link to one of the viewer's identities away; needs a fresh proof. See `Identities.unlink`. */
  async unlink(id: string, identity: CallIdentity): Promise<UserRow> {
    return this.parts.identities.unlink(await this.freshlyProven(identity.viewer), id, identity);
  }

  /**
   * Not before the address is verified: whoever signs up with somebody else's could link an identity of their own, and enter
   * the account with it when its address's owner has taken it over.
   */
  private async mayLink(viewer: Viewer | null): Promise<Viewer> {
    const present = await this.freshlyProven(viewer);
    const [user] = await this.parts.records.usersByIds([present.userId]);
    if (user?.emailVerifiedAt) return present;
    throw problem('INVALID_STATE', 'Verify the e-mail address of the account first: sendEmailVerification.', 'link');
  }

  private async freshlyProven(viewer: Viewer | null): Promise<Viewer> {
    const present = requireViewer(viewer);
    await requireFreshProof(this.parts.records, present, this.parts.clock());
    return present;
  }

  private async link(viewer: Viewer, proven: ProvenIdentity, identity: CallIdentity): Promise<Linked> {
    const user = await this.parts.identities.link(viewer, proven, identity);
    const [session] = await this.parts.records.sessionsByIds([viewer.sessionId], viewer.userId);
    return { viewer: user, session: session! }; // it was there for the fresh proof
  }
}

function randomText(): string {
  return randomBytes(32).toString('base64url');
}
