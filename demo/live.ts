import { randomUUID } from 'node:crypto';
import { SautiClient } from '../client/client';
import { FollowLiveDocument, StartLiveSessionDocument } from '../client/operations.generated';
import { untilAnswered } from '../client/retry';
import { signUp } from './account';
import { inputOfFile, inputOfMicrophone, soundOf } from './audio';
import { CaptionScreen } from './captions';
import { eventsOf } from './events';
import { readLiveArguments, type LiveArguments } from './live-arguments';
import { Pace } from './pace';
import { failOn, runProgram } from './program';
import { sampleRecording } from './sample';

/**
 * Speech from the first word to the recording, with nothing but the public endpoint. However often a connection is lost
 * meanwhile, that of the audio or that of the captions, each caption is shown once.
 */
async function main(): Promise<void> {
  const options = readLiveArguments(process.argv.slice(2));
  const input = await findInput(options);
  const screen = new CaptionScreen(process.stdout, options.to, options.partials);
  await using client = new SautiClient(options.endpoint);

  screen.line(`Signed up as ${await signUp(client, 'npm run demo:live')}.`);
  const sessionId = await startSession(client, screen);
  const pace = new Pace();
  const [recordingId] = await Promise.all([
    showCaptions(client, screen, { sessionId, to: options.to, pace }),
    speak(client, screen, { sessionId, sound: pace.watch(soundOf(input, interrupted())) }),
  ]);
  screen.line(`\n${pace.summary() || 'Nothing was said.'}`);
  if (recordingId) screen.line(`Recording: ${recordingId}`);
}

async function findInput({ file, microphone }: LiveArguments): Promise<string[]> {
  if (file !== null) return inputOfFile(file);
  const input = await inputOfMicrophone();
  if (input) process.stdout.write('Listening to the microphone; Ctrl-C ends.\n');
  if (!input && microphone) throw new Error('ffmpeg finds no microphone here (PulseAudio, ALSA or AVFoundation).');
  return input ?? inputOfFile(await sampleRecording());
}

async function startSession(client: SautiClient, screen: CaptionScreen): Promise<string> {
  const input = { title: 'npm run demo:live', options: { language: 'en' }, idempotencyKey: randomUUID() };
  const { startLiveSession } = await untilAnswered(() => client.request(StartLiveSessionDocument, { input }));
  const { session, errors } = startLiveSession;
  const wait = errors.find(({ code }) => code === 'ENGINE_BUSY')?.retryAfterMs;
  if (wait)
    throw new Error(`Everybody who can listen is busy. Try again in ${Math.ceil(wait / 1_000)} s. (ENGINE_BUSY)`);
  failOn(errors);
  screen.line(`Session ${session!.id}, heard by ${session!.engine}.\n`);
  return session!.id;
}

/** Sends the sound until it ends or Ctrl-C is pressed, and ends the session either way. */
async function speak(
  client: SautiClient,
  screen: CaptionScreen,
  { sessionId, sound }: { sessionId: string; sound: AsyncIterable<Uint8Array> },
): Promise<void> {
  await using audio = client.liveAudio(sessionId, {
    onLost: (reason) => screen.line(`(The sound waits: ${reason})`),
    onBusy: (waitMs) =>
      screen.line(`(Everybody who can listen is busy; trying again in ${Math.ceil(waitMs / 1_000)} s.)`),
  });
  try {
    await audio.sendAll(sound);
  } finally {
    await audio.end();
  }
}

/** Shows everything until the session is over; answers the id of its recording. */
async function showCaptions(
  client: SautiClient,
  screen: CaptionScreen,
  { sessionId, to, pace }: { sessionId: string; to: string; pace: Pace },
): Promise<string | undefined> {
  const events = eventsOf(client, FollowLiveDocument, { sessionId, to }, (reason) => screen.line(`(${reason})`));
  for await (const { liveTranscript: event } of events) {
    if (event.__typename === 'SegmentChanged') {
      pace.arrived(event.segment);
      screen.show(event.segment);
    } else if (event.__typename === 'LiveSessionChanged') {
      const { state, media, error } = event.session;
      if (state === 'FAILED') throw new Error(`The session failed: ${error?.message ?? 'no reason given'}`);
      if (state === 'ENDED' && error) screen.line(`No recording is kept: ${error.message}`);
      if (state === 'ENDED') return media?.id;
    }
  }
  return undefined;
}

/** Aborted by Ctrl-C; pressed again it ends the process as it always does. */
function interrupted(): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort());
  return controller.signal;
}

runProgram(main);
