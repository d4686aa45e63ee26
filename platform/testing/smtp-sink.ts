import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';

export interface CaughtMail {
  /** Addresses of the envelope: who gets it, whatever the headers say. */
  recipients: string[];
  /** Headers and body as they came. */
  raw: string;
}

export interface SmtpSink extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly mails: CaughtMail[];
}

/** What the sink refuses: an SMTP code for a recipient or for a mail's content; undefined: it is taken. */
export interface SinkFaults {
  onRecipient?: (address: string) => number | undefined;
  onContent?: () => number | undefined;
}

/** A real SMTP server without TLS on a free port (or `port`), which keeps what it is given. */
export async function openSmtpSink(faults: SinkFaults = {}, port = 0): Promise<SmtpSink> {
  const mails: CaughtMail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    disableReverseLookup: true,
    onRcptTo: ({ address }, _session, answer) => answer(refusal(faults.onRecipient?.(address))),
    onData(stream, session, answer) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const refused = refusal(faults.onContent?.());
        const recipients = session.envelope.rcptTo.map(({ address }) => address);
        if (!refused) mails.push({ recipients, raw: Buffer.concat(chunks).toString('utf8') });
        answer(refused);
      });
    },
  });
  server.on('error', () => undefined); // connections that a client breaks off
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const listening = (server.server.address() as AddressInfo).port;
  return {
    url: `smtp://127.0.0.1:${listening}`,
    port: listening,
    mails,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function refusal(code: number | undefined): Error | null {
  return code === undefined ? null : Object.assign(new Error('Refused by the test'), { responseCode: code });
}
