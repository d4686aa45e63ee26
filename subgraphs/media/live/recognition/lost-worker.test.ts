import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { repositoryRoot } from '../../../../platform/root';
import { goldenSpeechMissing } from '../../../../platform/testing/golden-speech';
import { describeWhenInstalled } from '../../../../platform/testing/installed';
import { openTestPlatform, type TestPlatform } from '../../../../platform/testing/platform';
import { waitFor } from '../../../../platform/testing/wait';
import type { SegmentRow } from '../../records';
import type { LiveEngine } from '../../transcriber/live/live-decoder';
import { createLivePocketSphinx } from '../../transcriber/pocketsphinx/live';
import { pocketSphinxMissing } from '../../transcriber/pocketsphinx/testing';
import { soundOf, tonesFor } from '../../transcription/testing';
import { aHost, bytesOf, essence, goldenPcm, SpokenSession } from './testing';
import { toneEngine } from './tone-engine.testing';

let test_: TestPlatform;
const children: ChildProcess[] = [];

beforeAll(async () => {
  test_ = await openTestPlatform();
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await Promise.all(children.splice(0).map(gone));
  await test_.platform.database.prisma.liveSession.deleteMany();
});
afterAll(() => test_[Symbol.asyncDispose]());

interface WorkerProcess {
  child: ChildProcess;
  said: string[];
}

async function startProcess(engine: string): Promise<WorkerProcess> {
  const register = path.join(repositoryRoot(), 'platform/testing/register.cjs');
  const script = path.join(__dirname, 'live-worker.testing.ts');
  const url = test_.platform.database.url;
  const child = spawn(process.execPath, ['-r', register, script, url, test_.dataDirectory, engine], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const said: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => said.push(...text.trim().split('\n')));
  await waitFor('the worker process to be ready', () => said.includes('ready'));
  return { child, said };
}

const gone = (child: ChildProcess): Promise<unknown> => waitFor('the process to be gone', () => child.signalCode);
/** Linux tells the state of a process behind its name in parentheses; T is stopped by a signal. */
const isFrozen = (child: ChildProcess): boolean => / T /.test(readFileSync(`/proc/${child.pid}/stat`, 'utf8'));
/** Lets a worker that is not seen any more count as lost now. */
const expireLease = () => test_.platform.database.prisma.liveWorker.updateMany({ data: { seenAt: new Date(0) } });

/** What is heard when nothing happens. */
async function undisturbed(engine: LiveEngine, speech: Uint8Array): Promise<object[]> {
  const session = await SpokenSession.begin(test_.platform, { plan: { engine: engine.info.id } });
  await using _host = aHost(test_.platform, engine);
  await session.sendAll(speech);
  await session.end();
  await session.until('ENDED');
  return essence(await session.segments());
}

/** Sends so much that the second utterance is under way, and waits until some of it is shown. */
async function speakInto(session: SpokenSession, speech: Uint8Array, endMs: number): Promise<SegmentRow> {
  await session.sendAll(speech.subarray(0, endMs * 32));
  return waitFor('a guess of the second utterance', async () => {
    const [first, second] = await session.segments();
    return first?.state === 'FINAL' && second?.state === 'PARTIAL' ? second : null;
  });
}

function takeovers(open: () => LiveEngine, speechOf: () => Promise<{ speech: Uint8Array; cutMs: number }>): void {
  let engine: LiveEngine;
  let speech: Uint8Array;
  let cutMs: number;
  let expected: object[];
  beforeAll(async () => {
    engine = open();
    ({ speech, cutMs } = await speechOf());
    expected = await undisturbed(engine, speech);
  });
  afterAll(() => engine[Symbol.asyncDispose]());

  test('another worker goes on when one is killed in mid-sentence, and hears what would have been heard', async () => {
    const { child } = await startProcess(engine.info.id);
    const session = await SpokenSession.begin(test_.platform, { plan: { engine: engine.info.id } });
    const open = await speakInto(session, speech, cutMs);
    child.kill('SIGKILL');
    await gone(child);
    await expireLease();
    await using _host = aHost(test_.platform, engine);
    await session.sendAll(speech.subarray(cutMs * 32));
    await session.end();
    await session.until('ENDED');
    const segments = await session.segments();
    expect(essence(segments)).toEqual(expected);
    expect(segments[1]).toMatchObject({ id: open.id });
    await expectOneStory(session);
  });

  test('a worker that was frozen writes nothing more when it wakes', async () => {
    const { child, said } = await startProcess(engine.info.id);
    const session = await SpokenSession.begin(test_.platform, { plan: { engine: engine.info.id } });
    await speakInto(session, speech, cutMs);
    child.kill('SIGSTOP');
    await waitFor('the process to be frozen', () => isFrozen(child));
    await expireLease();
    await using _host = aHost(test_.platform, engine);
    await session.sendAll(speech.subarray(cutMs * 32));
    await waitFor('the other worker', async () => (await session.row()).epoch === 2);
    child.kill('SIGCONT');
    await waitFor('the frozen worker to notice', () => said.includes('a live session has another worker'));
    await session.end();
    await session.until('ENDED');
    expect(essence(await session.segments())).toEqual(expected);
    await expectOneStory(session);
  });
}

/** Each position belongs to one segment, and its revisions rise one by one to what is stored. */
async function expectOneStory(session: SpokenSession): Promise<void> {
  const told = await session.told();
  const segments = await session.segments();
  for (const { id, position, ...segment } of segments) {
    const steps = told.filter((step) => step.id === id);
    expect(steps.map(({ revision }) => revision)).toEqual(steps.map((_, at) => at + 1));
    expect(steps.at(-1)).toMatchObject(segment);
    expect(told.filter((step) => step.position === position).map((step) => step.id)).toEqual(steps.map(() => id));
  }
}

describe('with tones', () => {
  takeovers(toneEngine, async () => ({ speech: bytesOf(soundOf(tonesFor(6_000), 0, 6_000)), cutMs: 2_500 }));
});

describeWhenInstalled(goldenSpeechMissing() ?? pocketSphinxMissing(), 'with PocketSphinx', () => {
  takeovers(createLivePocketSphinx, async () => {
    const { pcm, utterances } = await goldenPcm(test_.dataDirectory);
    const second = utterances[1];
    const cutMs = Math.round((second!.startMs + second!.endMs) / 2);
    return { speech: pcm.subarray(0, (second!.endMs + 900) * 32), cutMs };
  });
});
