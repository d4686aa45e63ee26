import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { buildGoldenSpeech } from '../../platform/testing/golden-speech';
import { waitFor } from '../../platform/testing/wait';
import { describeInBothModes } from '../engines';
import { startProxy } from '../proxy';
import { startProcess, startSystem, type RunningProcess, type System } from '../system';

describeInBothModes('the demo over a connection that breaks', (mode) => {
  let system: System;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'sauti-demo-'));
    await buildGoldenSpeech(path.join(folder, 'voice.wav'));
    system = await startSystem(mode);
  }, 120_000);

  afterAll(async () => {
    await system?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  function startDemo(url: string): RunningProcess {
    const file = path.join(folder, 'voice.wav');
    return startProcess('demo', 'demo/main.js', { SAUTI_DATA_DIR: folder }, [file, '--url', url]);
  }

  async function linesOf(demo: RunningProcess): Promise<string[]> {
    expect({ ...(await demo.ended), output: demo.output() }).toMatchObject({ code: 0 });
    return demo.output().split('\n');
  }

  test('shows each line once, as over a connection that lasts', async () => {
    const whole = await linesOf(startDemo(system.endpoint));

    await using proxy = await startProxy(system.endpoint);
    const demo = startDemo(proxy.url);
    const cut = async (what: string, isTime: (output: string) => boolean): Promise<void> => {
      // Two segments may come at once: then the connection cut at the first one has yet to be made again.
      const cutOne = (): number => {
        const count = proxy.cut();
        proxy.restore();
        return count;
      };
      await waitFor(what, () => isTime(demo.output()) && cutOne() > 0, 60_000);
    };
    await cut('the account', (output) => output.includes('Signed up'));
    await cut('the upload', (output) => output.includes('Uploaded'));
    for (const count of [1, 2, 4]) await cut(`segment ${count}`, (output) => segmentsIn(output).length >= count);
    const lines = await linesOf(demo);

    expect(lines.filter(isStory)).toEqual(whole.filter(isStory));
    const percents = lines.flatMap((line) => /(\d+) % /.exec(line)?.[1] ?? []).map(Number);
    expect(percents).toEqual([...new Set(percents)].sort((left, right) => left - right));
  }, 180_000);
});

function segmentsIn(output: string): string[] {
  return output.split('\n').filter((line) => /^ +\d\d:\d\d\.\d – /.test(line));
}

/** What is the same in every run: not the address made up at the start, nor how often progress was looked at. */
function isStory(line: string): boolean {
  return !line.startsWith('Signed up') && !/\d+ % /.test(line);
}
