import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { silentLogger } from '../../platform/logger';
import { aViewer } from '../../platform/testing/calls';
import { describeWhenInstalled } from '../../platform/testing/installed';
import { waitFor } from '../../platform/testing/wait';
import { openMediaSlice, transcribing, type MediaSlice } from '../../subgraphs/media/testing';
import { pocketSphinxChildFile } from '../../subgraphs/media/transcriber/pocketsphinx/installation';
import { createTranscribers } from '../../subgraphs/media/transcribers';
import { enginesMissing } from '../engines';
import type { MediaWorkerOptions } from './media-worker';
import { shortSpeech } from './speech';
import { endOfJob, LIMIT_MS, readJob, startWorkerProcess } from './worker-process';

/** Samples that no voice makes. */
const MARK = [12_345, -12_345, 12_345, -12_345, 12_345, -12_345];
/** In the tags of a recording on which ffmpeg never ends. */
const ENDLESS = 'Never Ends';
/** Far longer than ffmpeg needs to begin, on a busy machine too. */
const STUCK_AFTER_MS = 5_000;

describeWhenInstalled(enginesMissing(), 'a recording that breaks what hears it', () => {
  let slice: MediaSlice;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'sauti-poison-'));
    slice = await openMediaSlice(createTranscribers({ concurrency: 1, logger: silentLogger }));
  });
  afterAll(async () => {
    await slice[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  /** PocketSphinx's process, which crashes as in a C function when it is fed the mark. */
  async function crashingChild(): Promise<string> {
    const file = path.join(folder, 'child.cjs');
    await writeFile(
      file,
      `const mark = Buffer.from(Int16Array.from(${JSON.stringify(MARK)}).buffer);
       process.on('message', ({ pcm }) => {
         if (pcm && Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength).includes(mark)) process.kill(process.pid, 'SIGSEGV');
       });
       require(${JSON.stringify(pocketSphinxChildFile())});`,
    );
    return file;
  }

  /** A folder for the front of PATH, whose ffmpeg gives nothing and does not end when it decodes the one recording. */
  async function endlessFfmpeg(): Promise<string> {
    const real = execFileSync('sh', ['-c', 'command -v ffmpeg'], { encoding: 'utf8' }).trim();
    const file = path.join(folder, 'ffmpeg');
    await writeFile(
      file,
      `#!/bin/sh
       case "$*" in *pipe:1*)
         for one in "$@"; do
           case "$one" in file:*) grep -q '${ENDLESS}' "\${one#file:}" && exec tail -f /dev/null;; esac
         done;;
       esac
       exec ${real} "$@"`,
    );
    await chmod(file, 0o755);
    return folder;
  }

  async function ask(recording: Buffer): Promise<string> {
    return (await transcribing(slice, aViewer(), recording)).jobId;
  }

  test(
    'fails with a reason after its attempts, its worker lives on, and the jobs beside it succeed',
    async () => {
      const { platform } = slice;
      const [normal, endless, deadly] = [await shortSpeech(), await shortSpeech(ENDLESS), await shortSpeech()];
      MARK.forEach((sample, at) => deadly.writeInt16LE(sample, 32_000 * 2 + at * 2)); // in the middle of a word
      const options: MediaWorkerOptions = { childFile: await crashingChild(), stuckAfterMs: STUCK_AFTER_MS };
      await using worker = await startWorkerProcess(platform, {
        script: 'e2e/reliability/media-worker.ts',
        env: { MEDIA_WORKER: JSON.stringify(options), PATH: `${await endlessFfmpeg()}:${process.env['PATH']}` },
      });

      const poison = [await ask(deadly), await ask(endless)];
      const hasFailedTwice = async (id: string) => (await readJob(platform, id)).attempt > 2;
      await waitFor('it to have crashed often', () => hasFailedTwice(poison[0]!), LIMIT_MS);
      const beside: string[] = [];
      for (let n = 0; n < 20; n++) beside.push(await ask(normal));

      expect(await Promise.all(beside.map(async (id) => (await endOfJob(platform, id)).state))).toEqual(
        beside.map(() => 'SUCCEEDED'),
      );
      const [crashed, stuck] = await Promise.all(poison.map((id) => endOfJob(platform, id)));
      const failed = { state: 'FAILED', attempt: 3, losses: 0, errorRetryable: true };
      expect(crashed).toMatchObject({ ...failed, errorMessage: expect.stringMatching(/engine stopped before/) });
      expect(stuck).toMatchObject({ ...failed, errorMessage: expect.stringMatching(/decoder was stopped before/) });
      expect([worker.child.exitCode, worker.child.signalCode]).toEqual([null, null]);
    },
    LIMIT_MS,
  );
});
