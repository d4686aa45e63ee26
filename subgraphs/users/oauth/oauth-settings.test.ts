import { EnvironmentReader, type Env } from '../../../platform/environment';
import { readOAuthSettings, type OAuthSettings } from './oauth-settings';

const GOOD = {
  OAUTH_PROVIDERS: 'google, my-idp',
  OAUTH_GOOGLE_ISSUER: 'https://accounts.google.com',
  OAUTH_GOOGLE_CLIENT_ID: 'a',
  OAUTH_GOOGLE_CLIENT_SECRET: 'b',
  OAUTH_GOOGLE_NAME: 'Google',
  OAUTH_MY_IDP_ISSUER: 'http://localhost:8080/realms/x',
  OAUTH_MY_IDP_CLIENT_ID: 'c',
  OAUTH_MY_IDP_CLIENT_SECRET: 'd',
  OAUTH_REDIRECT_URIS: 'https://app.example/in,com.example.app:/in,http://localhost:3000/in',
};

function read(env: Env): OAuthSettings {
  const reader = new EnvironmentReader(env);
  const settings = readOAuthSettings(reader);
  reader.check();
  return settings;
}

test('reads the providers in their order, and where people come back to', () => {
  expect(read(GOOD)).toEqual({
    providers: [
      { id: 'google', name: 'Google', issuer: GOOD.OAUTH_GOOGLE_ISSUER, clientId: 'a', clientSecret: 'b' },
      { id: 'my-idp', name: 'my-idp', issuer: GOOD.OAUTH_MY_IDP_ISSUER, clientId: 'c', clientSecret: 'd' },
    ],
    redirectUris: ['https://app.example/in', 'com.example.app:/in', 'http://localhost:3000/in'],
  });
  expect(read({})).toEqual({ providers: [], redirectUris: [] });
});

test.each<[fault: RegExp, env: Env]>([
  [/OAUTH_GOOGLE_CLIENT_SECRET is missing/, { OAUTH_GOOGLE_CLIENT_SECRET: '' }],
  [/OAUTH_GOOGLE_ISSUER is missing/, { OAUTH_GOOGLE_ISSUER: '' }],
  [/OAUTH_GOOGLE_ISSUER must be an https URL/, { OAUTH_GOOGLE_ISSUER: 'http://accounts.google.com' }],
  [/OAUTH_GOOGLE_ISSUER must be an https URL/, { OAUTH_GOOGLE_ISSUER: 'https://a.example?b' }],
  [/OAUTH_GOOGLE_ISSUER must be an https URL/, { OAUTH_GOOGLE_ISSUER: 'google' }],
  [/"Google" must be of small letters/, { OAUTH_PROVIDERS: 'Google' }],
  [/names a provider twice/, { OAUTH_PROVIDERS: 'google,google' }],
  [/OAUTH_REDIRECT_URIS must list/, { OAUTH_REDIRECT_URIS: '' }],
  [/must be an absolute URL/, { OAUTH_REDIRECT_URIS: '/in' }],
  [/neither query nor fragment/, { OAUTH_REDIRECT_URIS: 'https://app.example/in?a=b' }],
  [/neither query nor fragment/, { OAUTH_REDIRECT_URIS: 'https://app.example/in#' }],
  [/must have no user/, { OAUTH_REDIRECT_URIS: 'https://a@app.example/in' }],
  [/must be written "https:\/\/app.example\/"/, { OAUTH_REDIRECT_URIS: 'https://App.example' }],
  [/must be https/, { OAUTH_REDIRECT_URIS: 'http://app.example/in' }],
  [/must be https/, { OAUTH_REDIRECT_URIS: 'javascript:alert(1)' }],
])('refuses with %s: %j', (fault, env) => {
  expect(() => read({ ...GOOD, ...env })).toThrow(fault);
});
