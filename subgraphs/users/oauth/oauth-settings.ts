import type { EnvironmentReader } from '../../../platform/environment';

/** One provider that speaks OpenID Connect, as its operator has registered Sauti there. */
export interface ProviderSettings {
  /** E.g. `google`; kept with every linked account, so it must not change its meaning. */
  id: string;
  /** For people. */
  name: string;
  /** Where `/.well-known/openid-configuration` is looked for. */
  issuer: string;
  clientId: string;
  clientSecret: string;
}

export interface OAuthSettings {
  providers: readonly ProviderSettings[];
  /** Where providers may send people back to; compared character by character. */
  redirectUris: readonly string[];
}

export const NO_PROVIDERS: OAuthSettings = { providers: [], redirectUris: [] };

/** Hosts of this machine: only for them is http allowed, and only for development. */
const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/**
 * `OAUTH_PROVIDERS` names them, with commas; for each `OAUTH_<NAME>_ISSUER`, `_CLIENT_ID`, `_CLIENT_SECRET` and `_NAME` (default:
 * the name as in the list). `OAUTH_REDIRECT_URIS` lists where apps let people come back.
 */
export function readOAuthSettings(reader: EnvironmentReader): OAuthSettings {
  const ids = reader.list('OAUTH_PROVIDERS');
  const providers = ids.flatMap((id) => readProvider(reader, id) ?? []);
  if (new Set(ids).size < ids.length) reader.fault('OAUTH_PROVIDERS names a provider twice.');
  const redirectUris = reader.list('OAUTH_REDIRECT_URIS');
  for (const uri of redirectUris) {
    const fault = redirectUriFault(uri);
    if (fault) reader.fault(`OAUTH_REDIRECT_URIS: "${uri}" ${fault}.`);
  }
  if (ids.length > 0 && redirectUris.length === 0)
    reader.fault('OAUTH_REDIRECT_URIS must list where providers send people back to.');
  return { providers, redirectUris };
}

function readProvider(reader: EnvironmentReader, id: string): ProviderSettings | null {
  if (!/^[a-z][a-z0-9-]{0,31}$/.test(id)) {
    reader.fault(`OAUTH_PROVIDERS: "${id}" must be of small letters, digits and hyphens, at most 32.`);
    return null;
  }
  const prefix = `OAUTH_${id.toUpperCase().replaceAll('-', '_')}`;
  const required = (name: string): string => {
    const value = reader.text(`${prefix}_${name}`);
    if (value === null) reader.fault(`${prefix}_${name} is missing.`);
    return value ?? '';
  };
  const issuer = required('ISSUER');
  if (issuer !== '' && !isIssuer(issuer))
    reader.fault(`${prefix}_ISSUER must be an https URL without query and fragment (http only for this machine).`);
  return {
    id,
    name: reader.text(`${prefix}_NAME`) ?? id,
    issuer,
    clientId: required('CLIENT_ID'),
    clientSecret: required('CLIENT_SECRET'),
  };
}

/** OpenID Connect Discovery 1.0 §3. */
function isIssuer(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return isSecure(url) && url.search === '' && url.hash === '' && url.username === '';
}

/** Web addresses, and schemes of apps (RFC 8252 §7.1: reversed domain names). */
function redirectUriFault(text: string): string | null {
  if (!URL.canParse(text)) return 'must be an absolute URL';
  const url = new URL(text);
  if (url.search !== '' || url.hash !== '' || /[?#]/.test(text)) return 'must have neither query nor fragment';
  if (url.username !== '' || url.password !== '') return 'must have no user';
  if (url.href !== text) return `must be written "${url.href}"`;
  return isSecure(url) || url.protocol.includes('.') ? null : 'must be https, or a scheme of an app with a dot in it';
}

function isSecure({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && LOOPBACK.includes(hostname));
}
