import { createHash } from 'node:crypto';
import type { ByteRoute } from '../../../platform/subgraph/subgraph';
import { RESET_PATH, VERIFY_PATH } from './account-mails';
import { MIN_PASSWORD_LENGTH } from './password-strength';

/**
 * The two pages that links of mails lead to, for deployments whose app has none of its own. The token stays in the browser
 * until its owner clicks, because programs that scan mails open links, too.
 */
export function accountPagesRoute(): ByteRoute {
  const pages = new Map([
    [VERIFY_PATH, page(VERIFY)],
    [RESET_PATH, page(RESET)],
  ]);
  return (request, response, url) => {
    const html = request.method === 'GET' ? pages.get(url.pathname) : undefined;
    if (html === undefined) return false;
    response.writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': POLICY,
      'referrer-policy': 'no-referrer',
    });
    response.end(html);
    return true;
  };
}

const VERIFY = {
  title: 'Verify your e-mail address',
  fields: '',
  button: 'Verify this address',
  mutation: 'mutation ($input: TokenInput!) { result: verifyEmail(input: $input) { ok errors { message } } }',
  done: 'Thank you, the address is verified. You can close this page and sign in.',
};
const RESET = {
  title: 'Set a new password',
  fields: `<p><label>New password <input id="newPassword" type="password" autocomplete="new-password" required
    minlength="${MIN_PASSWORD_LENGTH}"></label></p>`,
  button: 'Set the password',
  mutation: 'mutation ($input: ResetPasswordInput!) { result: resetPassword(input: $input) { ok errors { message } } }',
  done: 'The password is set. You can close this page and sign in.',
};

/** Takes the token out of the address, so that it is not in the history; asks without cookies. */
const SCRIPT = `
const token = new URLSearchParams(location.hash.slice(1)).get('token') ?? '';
history.replaceState(null, '', location.pathname);
const form = document.querySelector('form');
const status = document.querySelector('[role=status]');
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const password = document.getElementById('newPassword');
  const input = password ? { token, newPassword: password.value } : { token };
  status.textContent = 'One moment …';
  try {
    const response = await fetch('/graphql', {
      method: 'POST',
      credentials: 'omit',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: form.dataset.mutation, variables: { input } }),
    });
    const { data, errors } = await response.json();
    const problem = data?.result?.errors[0] ?? errors?.[0];
    status.textContent = problem ? problem.message : form.dataset.done;
    form.hidden = !problem;
  } catch {
    status.textContent = 'The server cannot be reached. Try again.';
  }
});
`;
const POLICY = [
  "default-src 'none'",
  `script-src 'sha256-${createHash('sha256').update(SCRIPT).digest('base64')}'`,
  "style-src 'unsafe-inline'",
  "connect-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

function page({ title, fields, button, mutation, done }: typeof VERIFY): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title} – Sauti</title>
<style>
body { font: 18px/1.5 system-ui, sans-serif; max-width: 30rem; margin: 4rem auto; padding: 0 1rem; color: #222; background: #fff }
input, button { font: inherit; padding: .4rem .8rem }
</style></head>
<body><h1>${title}</h1>
<form data-mutation="${mutation}" data-done="${done}">${fields}<p><button>${button}</button></p></form>
<p role="status"></p>
<script>${SCRIPT}</script>
</body></html>
`;
}
