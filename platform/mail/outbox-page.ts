export interface OutboxMail {
  recipient: string;
  subject: string;
  kind: string;
  state: string;
  createdAt: Date;
  /** Null where it is not kept any more. */
  text: string | null;
}

/** The development outbox as a page: mails in the order given, their links to be clicked. */
export function outboxPage(mails: readonly OutboxMail[]): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Outbox – Sauti</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; color: #222; background: #fff }
article { border: 1px solid #ccc; border-radius: 8px; padding: 0 1rem; margin: 1rem 0 }
h2 { font-size: 1.1rem; margin-bottom: 0 }
.about { color: #666; margin: 0 }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit }
</style></head>
<body><h1>Outbox</h1>
<p class="about">Mails that would have been sent if SMTP_URL were set, newest first. Only this machine can see this page.</p>
${mails.map(article).join('\n') || '<p>No mail yet. Sign up with <code>signUp</code> to get one.</p>'}
</body></html>
`;
}

function article({ recipient, subject, kind, state, createdAt, text }: OutboxMail): string {
  return `<article>
<h2>${escapeHtml(subject)}</h2>
<p class="about">to ${escapeHtml(recipient)} · ${createdAt.toISOString()} · ${escapeHtml(kind)} · ${escapeHtml(state)}</p>
<pre>${text === null ? '<em>Not kept any more.</em>' : withLinks(escapeHtml(text))}</pre>
</article>`;
}

/** Makes the http addresses of a text that is HTML already into links. */
function withLinks(html: string): string {
  return html.replace(/https?:\/\/[^\s<>"']+/g, (url) => `<a href="${url}" rel="noreferrer">${url}</a>`);
}

/** The text as HTML, in elements and in quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);
}
