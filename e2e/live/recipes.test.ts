import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { LiveSessionDocument, ReadLiveSessionDocument } from '../../client/operations.generated';
import { repositoryRoot } from '../../platform/root';
import {
  buildGoldenSpeech,
  samplesOf,
  wordErrorRate,
  type GoldenUtterance,
} from '../../platform/testing/golden-speech';
import { describeWhenInstalled, programMissing } from '../../platform/testing/installed';
import { waitFor } from '../../platform/testing/wait';
import { enginesMissing } from '../engines';
import { aPerson, type Person } from '../people';
import { startSystem, type System } from '../system';
import { startLive } from './speaking';

const missing =
  [enginesMissing(), programMissing('curl', 'curl')].filter((reason) => reason !== null).join('\n') || null;
/** Bytes of a second of 16 kHz. */
const SECOND = 32_000;

describeWhenInstalled(missing, 'recipes for live audio', () => {
  let system: System;
  let folder: string;
  let said: GoldenUtterance[];
  let amina: Person;
  const voice = (): string => path.join(folder, 'voice.wav');

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'sauti-live-recipes-'));
    said = await buildGoldenSpeech(voice());
    system = await startSystem('all in one');
    amina = await aPerson(system.endpoint);
  }, 120_000);

  afterAll(async () => {
    await amina?.[Symbol.asyncDispose]();
    await system?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  function recipe(name: string, ...args: string[]): { status: number | null; stdout: string; stderr: string } {
    const script = path.join(repositoryRoot(), 'client/recipes', name);
    const env = { ...process.env, TOKEN: amina.accessToken };
    return spawnSync('bash', [script, system.endpoint, ...args], { env, encoding: 'utf8' });
  }

  const stateOf = async (id: string): Promise<string> =>
    (await amina.client.request(ReadLiveSessionDocument, { id })).liveSession!.state;

  test('curl sends what ffmpeg reads, and its end is the end of the session', async () => {
    const { status, stdout, stderr } = recipe('live-curl.sh', '-i', voice());
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const [id, answer] = stdout.split('\n');
    expect(JSON.parse(answer!)).toMatchObject({ state: 'ENDING' });
    await waitFor('the end of the session', async () => (await stateOf(id!)) === 'ENDED', 60_000);
    const { liveSession } = await amina.client.request(ReadLiveSessionDocument, { id: id! });
    expect(liveSession!.media).not.toBeNull();
    const reference = said.map(({ text }) => text).join(' ');
    expect(wordErrorRate(reference, liveSession!.transcript.text)).toBeLessThan(0.15);
  }, 120_000);

  test('a file that cannot be read is told, with what ffmpeg says', () => {
    const { status, stderr } = recipe('live-curl.sh', '-i', path.join(folder, 'nowhere.wav'));
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/No such file/);
  });

  test('curl sends numbered chunks by GraphQL alone, each stored once however often it comes', async () => {
    const id = await startLive(amina);
    const samples = await samplesOf(voice());
    for (const sequence of [1, 2, 2, 3]) {
      const chunk = path.join(folder, `${sequence}.pcm`);
      await writeFile(chunk, samples.subarray((sequence - 1) * SECOND, sequence * SECOND));
      const { status, stdout } = recipe('live-append.sh', id, String(sequence), chunk);
      expect({ status, ...(JSON.parse(stdout) as object) }).toEqual({
        status: 0,
        data: { appendLiveAudio: { session: { state: 'LIVE', acknowledgedSequence: sequence }, errors: [] } },
      });
    }
    const gap = recipe('live-append.sh', id, '9', path.join(folder, '3.pcm'));
    expect(gap.stdout).toMatch(/"code":"CONFLICT"/);
    const { liveSession } = await amina.client.request(LiveSessionDocument, { id });
    expect(liveSession).toMatchObject({ state: 'LIVE', acknowledgedSequence: 3 });
  }, 60_000);
});
