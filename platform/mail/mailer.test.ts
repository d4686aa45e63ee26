import { newId } from '../ids';
import { silentLogger, type Logger } from '../logger';
import { freePort } from '../testing/free-port';
import { openTestPlatform, type TestPlatform } from '../testing/platform';
import { openSmtpSink, type SinkFaults, type SmtpSink } from '../testing/smtp-sink';
import { waitFor } from '../testing/wait';
import { createMailSeal, queueMail, type Mail } from './mail';
import { MailQueue } from './mail-queue';
import { Mailer } from './mailer';
import { createSmtpTransport } from './smtp';

const FROM = 'Sauti <sauti@mail.example>';
/** Tried again at once, as often as a test needs. */
const AT_ONCE = Array.from({ length: 20 }, () => 1);

let test_: TestPlatform;
let seal: ReturnType<typeof createMailSeal>;
const open: AsyncDisposable[] = [];

beforeAll(async () => {
  test_ = await openTestPlatform();
  seal = createMailSeal(test_.platform.secret);
});
afterEach(async () => {
  while (open.length > 0) await open.pop()![Symbol.asyncDispose]();
  await test_.platform.database.prisma.mail.deleteMany();
});
afterAll(() => test_[Symbol.asyncDispose]());

const rows = () => test_.platform.database.prisma.mail.findMany({ orderBy: { id: 'asc' } });
const states = async () => (await rows()).map(({ state }) => state);
const queue = (changes: Partial<Mail> = {}): Promise<void> =>
  test_.platform.database.prisma.$transaction((tx) =>
    queueMail(tx, seal, {
      to: 'amina@example.com',
      kind: 'test',
      subject: 'Hello',
      text: 'The link is https://sauti.example/#token=abc',
      ...changes,
    }),
  );
async function aSink(faults?: SinkFaults, port?: number): Promise<SmtpSink> {
  const sink = await openSmtpSink(faults, port);
  open.unshift(sink); // closed behind the mailers, for whose connections it would wait
  return sink;
}
function aMailer(url: string | null, retryDelaysMs: readonly number[] = AT_ONCE, logger?: Logger): Mailer {
  const { database, notifications } = test_.platform;
  const transport = url === null ? null : createSmtpTransport({ smtpUrl: url, from: FROM });
  const mailer = new Mailer(new MailQueue(database, seal), transport, notifications, logger ?? test_.platform.logger, {
    retryDelaysMs,
    pollMs: 20,
  });
  open.push(mailer);
  return mailer;
}

test('a queued mail reaches an SMTP server without TLS, and what it said is not kept', async () => {
  const sink = await aSink();
  aMailer(sink.url);
  await queue({ html: '<p>The link is <a href="https://sauti.example/#token=abc">this</a></p>' });
  await waitFor('the mail', async () => (await states()).includes('SENT'));
  const [{ recipients, raw }] = sink.mails as [SmtpSink['mails'][0]];
  const [row] = await rows();
  expect(recipients).toEqual(['amina@example.com']);
  expect(raw).toMatch(/^From: Sauti <sauti@mail\.example>\r$/m);
  expect(raw).toMatch(/^To: amina@example\.com\r$/m);
  expect(raw).toMatch(/^Subject: Hello\r$/m);
  expect(raw).toMatch(/^Auto-Submitted: auto-generated\r$/m);
  expect(raw).toContain(`Message-ID: <${row!.id}@mail.example>`);
  expect(raw).toContain('text/plain');
  expect(raw).toContain('text/html');
  expect(row).toMatchObject({ body: null, attempts: 1, error: null });
});

test('a mail of a transaction that fails is never sent', async () => {
  const sink = await aSink();
  aMailer(sink.url);
  await expect(
    test_.platform.database.prisma.$transaction(async (tx) => {
      await queueMail(tx, seal, { to: 'amina@example.com', kind: 'test', subject: 'No', text: 'No' });
      throw new Error('rolled back');
    }),
  ).rejects.toThrow('rolled back');
  await queue({ subject: 'Yes' });
  await waitFor('the other mail', async () => (await states()).includes('SENT'));
  expect(sink.mails).toHaveLength(1);
});

test('a mail that the server cannot take now is sent later', async () => {
  let refusals = 2;
  const sink = await aSink({ onContent: () => (refusals-- > 0 ? 451 : undefined) });
  aMailer(sink.url);
  await queue();
  await waitFor('the mail', async () => (await states()).includes('SENT'));
  expect(sink.mails).toHaveLength(1);
  expect(await rows()).toMatchObject([{ attempts: 3 }]);
});

test('mails wait for a server that is down', async () => {
  const port = await freePort();
  aMailer(
    `smtp://127.0.0.1:${port}`,
    Array.from({ length: 1_000 }, () => 20),
  );
  await queue();
  await waitFor('an attempt that failed', async () => (await rows())[0]!.error);
  const sink = await aSink({}, port);
  await waitFor('the mail', async () => (await states()).includes('SENT'));
  expect(sink.mails).toHaveLength(1);
});

test('a recipient that the server refuses for good is not tried again', async () => {
  const sink = await aSink({ onRecipient: (address) => (address.startsWith('nobody') ? 550 : undefined) });
  aMailer(sink.url);
  await queue({ to: 'nobody@example.com' });
  await waitFor('the end of it', async () => (await states()).includes('FAILED'));
  expect(await rows()).toMatchObject([{ attempts: 1, error: 'EENVELOPE 550', body: null }]);
});

test('a mail is given up after the last attempt', async () => {
  const sink = await aSink({ onContent: () => 451 });
  aMailer(sink.url, [1, 1]);
  await queue();
  await waitFor('the end of it', async () => (await states()).includes('FAILED'));
  expect(await rows()).toMatchObject([{ attempts: 3, body: null }]);
});

test('several mailers send each mail once', async () => {
  const sink = await aSink();
  for (let count = 0; count < 3; count++) aMailer(sink.url);
  await Promise.all(Array.from({ length: 25 }, (_, index) => queue({ subject: `Mail ${index}` })));
  await waitFor('all mails', async () => (await states()).filter((state) => state === 'SENT').length === 25);
  expect(sink.mails).toHaveLength(25);
});

test('a mail whose mailer died is sent by another, with the Message-ID it had', async () => {
  const { database } = test_.platform;
  await queue();
  const [claimed] = await new MailQueue(database, seal).claim(10);
  expect(await new MailQueue(database, seal).claim(10)).toEqual([]);
  await database.prisma.$executeRaw`update platform.mail set next_attempt_at = now()`; // its lease is over
  const sink = await aSink();
  aMailer(sink.url);
  await waitFor('the mail', async () => (await states()).includes('SENT'));
  expect(sink.mails[0]!.raw).toContain(`<${claimed!.id}@mail.example>`);
});

test('a mail that was sealed with another secret does not keep the others waiting', async () => {
  const sink = await aSink();
  const other = createMailSeal('another secret of at least thirty-two characters');
  await test_.platform.database.prisma.$transaction((tx) =>
    queueMail(tx, other, { to: 'amina@example.com', kind: 'test', subject: 'Lost', text: 'Lost' }),
  );
  await queue({ subject: 'Found' });
  aMailer(sink.url, [1]);
  await waitFor('both', async () => (await states()).join() === 'FAILED,SENT');
  expect(sink.mails[0]!.raw).toContain('Subject: Found');
});

test.each(['Hello\r\nBcc: thief@example.com', 'Hello\nX: y', 'Hello\u2028'])(
  'the subject %j is refused',
  async (subject) => {
    await expect(queue({ subject })).rejects.toThrow('one line');
  },
);

test.each(['amina@example.com\r\nBcc: thief@example.com', 'amina@example.com\nRCPT TO:<thief@example.com>'])(
  'the address %j is refused',
  async (to) => {
    await expect(queue({ to })).rejects.toThrow('one line');
  },
);

test.each(['amina@example.com, thief@example.com', 'thief@example.com <amina@example.com>', 'a;thief@example.com'])(
  'the text %j is never a list of addresses',
  async (to) => {
    const sink = await aSink();
    aMailer(sink.url, []);
    await queue({ to });
    await waitFor('the end of it', async () => !(await states()).includes('QUEUED'));
    expect(sink.mails.flatMap(({ recipients }) => recipients)).not.toContain('thief@example.com');
    expect(sink.mails.flatMap(({ recipients }) => recipients).length).toBeLessThanOrEqual(1);
  },
);

test('without an SMTP server mails go to the outbox and are kept there', async () => {
  aMailer(null);
  await queue();
  await waitFor('the outbox', async () => (await states()).includes('OUTBOX'));
  expect((await rows())[0]!.body).not.toBeNull();
});

test('neither the database nor the log has what a mail says, and the log has no address', async () => {
  const lines: string[] = [];
  const keep = (...parts: unknown[]): void => void lines.push(JSON.stringify(parts));
  const logger: Logger = { ...silentLogger, debug: keep, info: keep, warn: keep, error: keep };
  const sink = await aSink({ onContent: () => 451 });
  const to = `${newId('usr')}@example.com`;
  await queue({ to });
  expect(JSON.stringify(await rows())).not.toContain('token=abc');
  aMailer(sink.url.replace('//', '//sauti:hunter2@'), [], logger);
  await waitFor('the end of it', async () => (await states()).includes('FAILED'));
  await waitFor('the log', () => lines.length > 0);
  expect(lines.join('')).toContain('a mail was given up');
  expect(lines.join('')).not.toMatch(/token=abc|hunter2/);
  expect(lines.join('')).not.toContain(to);
});
