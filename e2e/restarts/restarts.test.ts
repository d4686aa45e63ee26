import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { SautiClient } from '../../client/client';
import {
  CancelJobDocument,
  FollowTranscriptDocument,
  ReadViewerDocument,
  SignInDocument,
  SignUpDocument,
  TranslateTextDocument,
} from '../../client/operations.generated';
import { createTestDatabase } from '../../platform/testing/database';
import { buildGoldenSpeech } from '../../platform/testing/golden-speech';
import { freePort } from '../../platform/testing/free-port';
import { describeWhenInstalled } from '../../platform/testing/installed';
import { waitFor } from '../../platform/testing/wait';
import { describeInBothModes, enginesMissing } from '../engines';
import { aPerson, jobToItsEnd, uploadForTranscript } from '../people';
import { startProxy } from '../proxy';
import { startProcess, startSystem, stopProcess, type RunningProcess } from '../system';
import { descendantsOf, isAlive, processesMentioning } from './processes';

const PASSWORD = 'a long enough secret';
let folder: string;
let recording: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'sauti-restarts-'));
  recording = path.join(folder, 'voice.wav');
  if (enginesMissing() === null) await buildGoldenSpeech(recording);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describeInBothModes('a worker that is killed', (mode) => {
  test('in the middle of a job costs nothing: every segment arrives once, in order, and the job succeeds', async () => {
    await using system = await startSystem(mode);
    await using amina = await aPerson(system.endpoint);
    const { job } = await uploadForTranscript(amina, recording);
    const seen: string[] = [];
    let killed = false;

    const ended = jobToItsEnd(amina, job!.id);
    for await (const { transcriptEvents: event } of amina.client.subscribe(FollowTranscriptDocument, {
      transcriptId: job!.result!.id,
      to: 'es',
    })) {
      if (event.__typename === 'SegmentChanged') seen.push(event.segment.id);
      if (seen.length === 2 && !killed) {
        killed = true;
        if (mode === 'apart') {
          system.process('worker').kill('SIGKILL');
          await system.restart('worker');
        } else process.kill(workerOf(system.process('start')), 'SIGKILL');
      }
    }

    expect(seen).toHaveLength(10);
    expect(new Set(seen).size).toBe(10);
    const events = await ended;
    expect(events.at(-1)).toMatchObject({ state: 'SUCCEEDED' });
  }, 150_000);
});

describe('npm start with its own database', () => {
  let dataDirectory: string;
  beforeEach(async () => {
    dataDirectory = await mkdtemp(path.join(os.tmpdir(), 'sauti-own-'));
    await chmod(dataDirectory, 0o755); // or root's database, which runs as another user, would keep its data elsewhere
  });
  afterEach(async () => {
    await waitFor('the database to stop', () => processesMentioning(dataDirectory).length === 0, 30_000);
    await rm(dataDirectory, { recursive: true, force: true });
  });

  const start = async (): Promise<{ running: RunningProcess; endpoint: string }> => {
    const port = await freePort();
    const running = startProcess('start', 'scripts/start.js', {
      SAUTI_DATA_DIR: dataDirectory,
      PORT: String(port),
      DATABASE_URL: '',
    });
    const origin = `http://127.0.0.1:${port}`;
    await waitFor(`Sauti to be ready`, async () => (await fetch(`${origin}/ready`)).ok, 60_000);
    return { running, endpoint: `${origin}/graphql` };
  };

  test('Ctrl-C ends every process it started, and the next start knows the account', async () => {
    const first = await start();
    const email = await signUp(first.endpoint);
    const started = descendantsOf(first.running.pid);
    expect(started.length).toBeGreaterThan(0);

    first.running.kill('SIGINT');
    expect(await first.running.ended).toEqual({ code: 0, signal: null });
    // The watchdog outlives the server by the moment it takes to notice its end.
    await waitFor('the last process to end', () => started.filter(isAlive).length === 0, 5_000);
    expect(processesMentioning(dataDirectory)).toEqual([]);

    const second = await start();
    expect(await canSignIn(second.endpoint, email)).toBe(true);
    await stopProcess(second.running);
  }, 120_000);

  test('kill -9 of the main process leaves nothing running for long, and loses nothing that was acknowledged', async () => {
    const first = await start();
    const email = await signUp(first.endpoint);
    first.running.kill('SIGKILL');
    await first.running.ended;

    const second = await start();
    expect(await canSignIn(second.endpoint, email)).toBe(true);
    await stopProcess(second.running);
  }, 120_000);

  test('kill -9 of the database is survived without a restart', async () => {
    const { running, endpoint } = await start();
    const email = await signUp(endpoint);
    const postmaster = processesMentioning(dataDirectory).find((pid) => isPostmaster(pid));
    process.kill(postmaster!, 'SIGKILL');
    await waitFor('the database to be back', () => canSignIn(endpoint, email), 30_000);
    await stopProcess(running);
  }, 120_000);

  test('a port that is taken is named, with the way out', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const port = String((other.address() as AddressInfo).port);
    const running = startProcess('start', 'scripts/start.js', {
      SAUTI_DATA_DIR: dataDirectory,
      PORT: port,
      DATABASE_URL: '',
    });

    expect(await running.ended).toMatchObject({ code: 1 });
    expect(running.output()).toMatch(new RegExp(`port ${port} is taken.*PORT=`));
    other.close();
  }, 60_000);

  test('a second clone that starts without a chosen port finds another one', async () => {
    const second = await mkdtemp(path.join(os.tmpdir(), 'sauti-second-'));
    await chmod(second, 0o755);
    const begin = (directory: string) =>
      startProcess('start', 'scripts/start.js', { SAUTI_DATA_DIR: directory, PORT: '', DATABASE_URL: '' });
    const addressOf = (running: RunningProcess) =>
      waitFor('an address', () => /GraphQL +(http:\S+)/.exec(running.output())?.[1], 60_000);
    const one = begin(dataDirectory);
    const two = begin(second);
    const addresses = await Promise.all([addressOf(one), addressOf(two)]);
    expect(new Set(addresses).size).toBe(2);
    for (const address of addresses) expect(await signUp(address)).toMatch(/@/);
    await Promise.all([stopProcess(one), stopProcess(two)]);
    await waitFor('the second database to stop', () => processesMentioning(second).length === 0);
    await rm(second, { recursive: true, force: true });
  }, 120_000);

  test('all faults of the environment are told at once', async () => {
    const running = startProcess('start', 'scripts/start.js', {
      SAUTI_DATA_DIR: dataDirectory,
      PORT: 'many',
      DATABASE_URL: 'mysql://x',
      SAUTI_SECRET: 'short',
    });
    expect(await running.ended).toMatchObject({ code: 1 });
    for (const name of ['PORT', 'DATABASE_URL', 'SAUTI_SECRET']) expect(running.output()).toContain(name);
  });
});

describeInBothModes('a database that goes away', (mode) => {
  test('is told as DATABASE_UNAVAILABLE, takes nothing else down, and is used again when it is back', async () => {
    await using database = await createTestDatabase();
    await using proxy = await startProxy(database.url);
    await using system = await startSystem(mode, { DATABASE_URL: proxy.url });
    await using amina = await aPerson(system.endpoint);

    proxy.cut();
    await expect(amina.client.request(ReadViewerDocument, {})).rejects.toThrow(/DATABASE_UNAVAILABLE/);
    const { translateText } = await amina.client.request(TranslateTextDocument, {
      input: { texts: ['Clean water.'], from: 'en', to: 'es' },
    });
    expect(translateText.translations[0]!.text).toMatch(/agua/i);

    proxy.restore();
    await waitFor(
      'the viewer to be readable',
      async () => (await amina.client.request(ReadViewerDocument, {})).viewer?.id === amina.id,
      15_000,
    );
    const { job } = await uploadForTranscript(amina, recording);
    expect((await jobToItsEnd(amina, job!.id)).at(-1)).toMatchObject({ state: 'SUCCEEDED' });
  }, 150_000);
});

describeWhenInstalled(enginesMissing(), 'canceling', () => {
  test('stops a running job and tells its followers', async () => {
    await using system = await startSystem('all in one');
    await using amina = await aPerson(system.endpoint);
    const { job } = await uploadForTranscript(amina, recording);
    const events: string[] = [];
    for await (const { transcriptEvents: event } of amina.client.subscribe(FollowTranscriptDocument, {
      transcriptId: job!.result!.id,
      to: 'es',
    })) {
      events.push(event.__typename === 'TranscriptFinished' ? event.state : event.__typename);
      if (events.length === 1) await cancel(amina.client, job!.id);
    }
    expect(events.at(-1)).toBe('CANCELED');
    expect((await jobToItsEnd(amina, job!.id)).at(-1)).toMatchObject({ state: 'CANCELED' });
  }, 90_000);
});

async function cancel(client: SautiClient, jobId: string): Promise<void> {
  const { cancelJob } = await client.request(CancelJobDocument, { jobId });
  expect(cancelJob.errors).toEqual([]);
}

async function signUp(endpoint: string): Promise<string> {
  await using client = new SautiClient(endpoint);
  const email = `${process.pid}-${Math.random().toString(36).slice(2)}@example.com`;
  const { signUp } = await client.request(SignUpDocument, {
    input: { email, password: PASSWORD, displayName: 'Amina' },
  });
  expect(signUp.errors).toEqual([]);
  return email;
}

async function canSignIn(endpoint: string, email: string): Promise<boolean> {
  await using client = new SautiClient(endpoint);
  return (await client.request(SignInDocument, { input: { email, password: PASSWORD } })).signIn.errors.length === 0;
}

function workerOf(start: RunningProcess): number {
  const worker = processesMentioning('worker/main.js').find((pid) => descendantsOf(start.pid).includes(pid));
  if (worker === undefined) throw new Error('The worker process was not found.');
  return worker;
}

/** The server's first process: the one that was started with the folder as its argument. */
function isPostmaster(pid: number): boolean {
  return processesMentioning('bin/postgres').includes(pid) && !processesMentioning('watchdog').includes(pid);
}
