import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { SautiClient } from '../client/client';
import {
  CreateMediaDocument,
  FollowInboxDocument,
  FollowJobDocument,
  FollowTranscriptDocument,
  ReadTranscriptDocument,
} from '../client/operations.generated';
import { untilAnswered } from '../client/retry';
import { signUp } from './account';
import { readArguments, type DemoArguments } from './arguments';
import { eventsOf } from './events';
import { failOn, runProgram } from './program';
import { sampleRecording } from './sample';
import { clock, Screen } from './screen';

/** How long a notification may take after its job has ended. */
const NOTIFICATION_LIMIT_MS = 10_000;

/**
 * One upload from beginning to end, with nothing but the public endpoint. However often the connection is lost meanwhile,
 * each line is shown once: subscriptions go on where they were, and what is sent again does nothing twice.
 */
async function main(): Promise<void> {
  const screen = new Screen(process.stdout);
  const options = readArguments(process.argv.slice(2));
  const file = options.file ?? (await sampleRecording());
  await using client = new SautiClient(options.endpoint);

  screen.line(`Signed up as ${await signUp(client, 'npm run demo')}.`);
  const inbox = client.subscribe(FollowInboxDocument, {});
  const notified = inbox.next();
  const { jobId, transcriptId } = await upload(client, screen, file);
  await Promise.all([showProgress(client, screen, jobId), showSegments(client, screen, transcriptId, options)]);
  await showNotification(screen, notified);
  await inbox.return();
  await saveSubtitles(client, screen, transcriptId);
}

async function upload(
  client: SautiClient,
  screen: Screen,
  file: string,
): Promise<{ jobId: string; transcriptId: string }> {
  const input = { upload: null, transcribe: { language: 'en' }, idempotencyKey: randomUUID() };
  const { createMedia } = await untilAnswered(() =>
    client.upload(CreateMediaDocument, { input }, { at: 'input.upload', path: file }),
  );
  failOn(createMedia.errors);
  const { media, job } = createMedia;
  screen.line(
    `Uploaded ${media!.file.name}: ${media!.file.mimeType}, ${Number(media!.file.size).toLocaleString('en')} bytes.\n`,
  );
  return { jobId: job!.id, transcriptId: job!.result!.id };
}

async function showProgress(client: SautiClient, screen: Screen, jobId: string): Promise<void> {
  for await (const { jobEvents: event } of client.subscribe(FollowJobDocument, { jobId })) {
    if (event.__typename !== 'JobSummary') continue;
    screen.progress(event.progress, event.stage ?? event.state.toLowerCase());
    if (event.state === 'FAILED') {
      screen.endProgress();
      throw new Error(
        `The job failed: ${event.error?.message ?? 'no reason given'} (${event.error?.code ?? 'INTERNAL'})`,
      );
    }
  }
  screen.endProgress();
}

async function showSegments(
  client: SautiClient,
  screen: Screen,
  transcriptId: string,
  { to }: DemoArguments,
): Promise<void> {
  const wanted = { transcriptId, to };
  const events = eventsOf(client, FollowTranscriptDocument, wanted, (reason) => screen.line(`(${reason})`));
  for await (const { transcriptEvents: event } of events) {
    if (event.__typename !== 'SegmentChanged') continue;
    const { startMs, endMs, text, translation } = event.segment;
    screen.line(`  ${clock(startMs)} – ${clock(endMs)}  ${text}`);
    screen.line(`  ${' '.repeat(17)}  ${to}: ${translation?.text ?? '(no translation)'}`);
  }
}

async function showNotification(
  screen: Screen,
  notified: Promise<IteratorResult<{ inboxEvents: unknown }, void>>,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error('No notification arrived within 10 s. Is a worker running?')),
      NOTIFICATION_LIMIT_MS,
    );
  });
  try {
    const { value } = await Promise.race([notified, limit]);
    const { notification } = (value as { inboxEvents: { notification: { title: string; body: string } } }).inboxEvents;
    screen.line(`\nNotification: ${notification.title}. ${notification.body}`);
  } finally {
    clearTimeout(timer);
  }
}

async function saveSubtitles(client: SautiClient, screen: Screen, id: string): Promise<void> {
  const { transcript } = await untilAnswered(() => client.request(ReadTranscriptDocument, { id }));
  if (!transcript) throw new Error('The transcript is gone.');
  await writeFile('transcript.srt', transcript.srt.text);
  await writeFile('transcript.vtt', transcript.vtt.text);
  screen.line(`Written: ${path.resolve('transcript.srt')} and transcript.vtt (${transcript.engine}).`);
}

runProgram(main);
