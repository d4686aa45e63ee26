import type { Mail } from '../../../platform/mail/mail';
import { escapeHtml } from '../../../platform/mail/outbox-page';

export interface MailParts {
  /** Sentences; what users have written may be in them. */
  paragraphs: readonly string[];
  /** A page of the app, below the paragraphs. */
  link?: { label: string; url: string };
  /** Below the link. */
  footnote?: string;
}

/** The same mail as plain text and as simple HTML, in which everything is escaped. */
export function layoutMail({ paragraphs, link, footnote }: MailParts): Pick<Mail, 'text'> & { html: string } {
  const after = footnote === undefined ? [] : [footnote];
  const button = link && `<p><a href="${escapeHtml(link.url)}">${escapeHtml(link.label)}</a></p>`;
  return {
    text: `${[...paragraphs, ...(link ? [`${link.label}:\n${link.url}`] : []), ...after].join('\n\n')}\n`,
    html: `<!doctype html><html lang="en"><body>${[
      ...paragraphs.map(inParagraph),
      ...(button === undefined ? [] : [button]),
      ...after.map(inParagraph),
    ].join('\n')}</body></html>\n`,
  };
}

function inParagraph(text: string): string {
  return `<p>${escapeHtml(text)}</p>`;
}
