import * as openid from 'openid-client';
import type { Logger } from '../../../platform/logger';
import { asProviderProblem, unusable } from './provider-problem';
import type { ProviderSettings } from './oauth-settings';

/** Longest wait for one answer of a provider; a sign-in needs four at most, within the gateway's deadline of 30 s. */
const TIMEOUT_S = 5;
const SCOPE = 'openid email profile';

/** What is kept between the two halves of a sign-in, and never leaves the server. */
export interface Handshake {
  /** Proves to the provider that whoever redeems the code is who asked for it (RFC 7636). */
  verifier: string;
  /** Comes back in the ID token, which so cannot be of another sign-in. */
  nonce: string;
}

/** What the provider's answer to the redirect address held. */
export interface Answer {
  code: string;
  /** The issuer (RFC 9207); must be there when the provider promises it. */
  iss: string | null;
}

/** Who somebody is at a provider. */
export interface ProvenIdentity {
  provider: string;
  /** What never changes, and is never given to somebody else (OpenID Connect Core 1.0 §2, `sub`). */
  subject: string;
  email: string | null;
  emailVerified: boolean;
  name: string | null;
  givenName: string | null;
  familyName: string | null;
  locale: string | null;
  timeZone: string | null;
}

/** One OpenID Connect provider. It is asked for its addresses and keys when somebody wants to sign in there first. */
export class IdentityProvider {
  private discovered: Promise<openid.Configuration> | undefined;

  constructor(
    private readonly settings: ProviderSettings,
    private readonly logger: Logger,
  ) {}

  get id(): string {
    return this.settings.id;
  }

  get name(): string {
    return this.settings.name;
  }

  /** Where to send the user. Throws INTERNAL with a time to wait when the provider does not answer. */
  async authorizationUrl(request: { redirectUri: string; state: string; handshake: Handshake }): Promise<string> {
    const configuration = await this.discover();
    try {
      const url = openid.buildAuthorizationUrl(configuration, {
        redirect_uri: request.redirectUri,
        scope: SCOPE,
        state: request.state,
        nonce: request.handshake.nonce,
        code_challenge: await openid.calculatePKCECodeChallenge(request.handshake.verifier),
        code_challenge_method: 'S256',
      });
      return url.href;
    } catch (error) {
      throw unusable(error, this.settings, this.logger);
    }
  }

  /**
   * Redeems the code and answers who it stands for. The ID token must be signed by the provider, for us, for this sign-in,
   * and be valid now. Throws INVALID_TOKEN when any of it is not so, INTERNAL as above. It is not canceled: the code works once.
   */
  async redeem(request: { redirectUri: string; answer: Answer; handshake: Handshake }): Promise<ProvenIdentity> {
    const configuration = await this.discover();
    try {
      const { answer, handshake } = request;
      const returned = new URL(request.redirectUri);
      returned.searchParams.set('code', answer.code);
      if (answer.iss !== null) returned.searchParams.set('iss', answer.iss);
      const tokens = await openid.authorizationCodeGrant(configuration, returned, {
        expectedNonce: handshake.nonce,
        pkceCodeVerifier: handshake.verifier,
        idTokenExpected: true,
      });
      return identityOf(this.id, await claimsOf(configuration, tokens));
    } catch (error) {
      throw asProviderProblem(error, this.settings, this.logger);
    }
  }

  private discover(): Promise<openid.Configuration> {
    const { issuer, clientId, clientSecret } = this.settings;
    const isPlain = new URL(issuer).protocol === 'http:';
    this.discovered ??= openid
      .discovery(new URL(issuer), clientId, undefined, clientAuthentication(clientSecret), {
        timeout: TIMEOUT_S,
        // Without it the ID token's signature would not be looked at, since it comes from the provider itself.
        execute: [openid.enableNonRepudiationChecks, ...(isPlain ? [openid.allowInsecureRequests] : [])],
      })
      .catch((error: unknown) => {
        this.discovered = undefined; // a provider that was away must not be remembered as such
        throw unusable(error, this.settings, this.logger);
      });
    return this.discovered;
  }
}

/** As RFC 6749 §2.3.1 asks for, unless the provider only takes the other one. */
function clientAuthentication(secret: string): openid.ClientAuth {
  const [basic, post] = [openid.ClientSecretBasic(secret), openid.ClientSecretPost(secret)];
  return (server, ...rest) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    return (methods.includes('client_secret_basic') ? basic : post)(server, ...rest);
  };
}

type Tokens = Awaited<ReturnType<typeof openid.authorizationCodeGrant>>;

/** What the ID token says, and where it leaves the address out, what the provider says when it is asked. */
async function claimsOf(
  configuration: openid.Configuration,
  tokens: Tokens,
): Promise<Readonly<Record<string, unknown>> & { sub: string }> {
  const claims = tokens.claims()!; // an ID token was expected
  const isWhole = claims['email'] !== undefined || !configuration.serverMetadata().userinfo_endpoint;
  return isWhole
    ? claims
    : { ...(await openid.fetchUserInfo(configuration, tokens.access_token, claims.sub)), ...claims };
}

function identityOf(provider: string, claims: Readonly<Record<string, unknown>> & { sub: string }): ProvenIdentity {
  const text = (name: string): string | null => {
    const value = claims[name];
    return typeof value === 'string' && value !== '' ? value : null;
  };
  const email = text('email');
  // Some providers send it as text.
  const emailVerified = email !== null && [true, 'true'].includes(claims['email_verified'] as boolean | string);
  return {
    provider,
    subject: claims.sub,
    email,
    emailVerified,
    name: text('name'),
    givenName: text('given_name'),
    familyName: text('family_name'),
    locale: text('locale'),
    timeZone: text('zoneinfo'),
  };
}
