import { EnvironmentReader, type Env } from '../../../platform/environment';
import { readMailSettings } from '../../../platform/mail/mail-settings';
import { readAccountSettings } from './account-settings';

const SMTP_URL = 'smtp://mail.example:25';
const APP_URL = 'https://app.example';

function settingsOf(env: Env) {
  const reader = new EnvironmentReader(env);
  const settings = { ...readMailSettings(reader), ...readAccountSettings(reader) };
  reader.check();
  return settings;
}

test('nothing is needed on a laptop: mails go to the outbox, and accounts are signed in at once', () => {
  expect(settingsOf({})).toMatchObject({ smtpUrl: null, requireVerifiedEmail: false, outbox: true, appUrl: null });
});

test('where mails are sent, addresses are verified first, and there is no outbox', () => {
  const env = { SMTP_URL, MAIL_FROM: 'Sauti <sauti@mail.example>', APP_URL };
  expect(settingsOf(env)).toMatchObject({ smtpUrl: SMTP_URL, requireVerifiedEmail: true, outbox: false });
  expect(settingsOf({ ...env, REQUIRE_VERIFIED_EMAIL: 'false' }).requireVerifiedEmail).toBe(false);
});

test('there is no outbox in production', () => {
  expect(settingsOf({ NODE_ENV: 'production' }).outbox).toBe(false);
});

test.each<[env: Env, fault: string]>([
  [{ SMTP_URL, APP_URL }, 'MAIL_FROM must be set'],
  [{ SMTP_URL, MAIL_FROM: 'sauti@mail.example' }, 'APP_URL or PUBLIC_URL must be set'],
  [{ MAIL_FROM: 'nobody' }, 'MAIL_FROM must be an address'],
  [{ MAIL_FROM: 'a@b.example\r\nBcc: c@d.example' }, 'MAIL_FROM must be an address'],
  [{ SMTP_URL: 'http://mail.example' }, 'SMTP_URL must be a URL'],
  [{ APP_URL: 'javascript:alert(1)' }, 'APP_URL must be a URL'],
])('the environment %j is refused', (env, fault) => {
  expect(() => settingsOf(env)).toThrow(fault);
});
