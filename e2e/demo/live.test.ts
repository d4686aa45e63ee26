import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { buildGoldenSpeech, wordErrorRate, type GoldenUtterance } from '../../platform/testing/golden-speech';
import { waitFor } from '../../platform/testing/wait';
import { describeInBothModes } from '../engines';
import { startProxy, type Proxy } from '../proxy';
import { startProcess, startSystem, type RunningProcess, type System } from '../system';

const run = promisify(execFile);
/** It is spoken as slowly as a person speaks, so this many of its sentences must do. */
const SENTENCES = 5;
/** Prompts of two words count as much as long ones. */
const MOST_ERRORS = 0.34;

describeInBothModes('the live demo', (mode) => {
  let system: System;
  let folder: string;
  let file: string;
  let said: GoldenUtterance[];
  let audio: Proxy;
  let undisturbed: string[];

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'sauti-demo-'));
    file = path.join(folder, 'voice.wav');
    const whole = path.join(folder, 'whole.wav');
    said = (await buildGoldenSpeech(whole)).slice(0, SENTENCES);
    await run('ffmpeg', ['-v', 'error', '-i', whole, '-t', String(said.at(-1)!.endMs / 1_000 + 0.8), file]);
    audio = await startProxy(() => system.address('media'));
    system = await startSystem(mode, { PUBLIC_URL: audio.url.replace(/\/$/, '') });
  }, 120_000);

  afterAll(async () => {
    await system?.[Symbol.asyncDispose]();
    await audio?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  function startDemo(url: string, ...more: string[]): RunningProcess {
    return startProcess('demo:live', 'demo/live.js', { SAUTI_DATA_DIR: folder }, [file, '--url', url, ...more]);
  }

  async function linesOf(demo: RunningProcess): Promise<string[]> {
    expect({ ...(await demo.ended), output: demo.output() }).toMatchObject({ code: 0 });
    return demo.output().split('\n');
  }

  test('shows every sentence once and in order with its Spanish, how fast that was, and the recording', async () => {
    const lines = await linesOf(startDemo(system.endpoint));
    undisturbed = captionsIn(lines);

    const captions = undisturbed.filter((_line, index) => index % 2 === 0);
    expect(captions).toHaveLength(said.length);
    captions.forEach((caption, index) => {
      const [, text] = /^ {2}\d\d:\d\d\.\d – \d\d:\d\d\.\d {2}(.+)$/.exec(caption) ?? [];
      expect({ text, errors: wordErrorRate(said[index]!.text, text ?? '') }).toMatchObject({
        errors: atMost(MOST_ERRORS),
      });
    });
    expect(undisturbed.filter((line) => /^ {21}es: \S/.test(line))).toHaveLength(said.length);
    expect(lines.join('\n')).toMatch(/\d+ words in \d+ s, \d\.\d a second\. New words came \d/);
    expect(lines.join('\n')).toMatch(/Recording: med_\w+/);
  }, 120_000);

  test('shows the same over connections that break, on either side', async () => {
    await using graph = await startProxy(system.endpoint);
    const demo = startDemo(graph.url, '--partials');
    const cut = async (proxy: Proxy, what: string, isTime: (output: string) => boolean): Promise<number> => {
      await waitFor(what, () => isTime(demo.output()), 60_000);
      const count = proxy.cut();
      proxy.restore();
      return count;
    };
    const cuts = [];
    for (const [index, proxy] of [audio, graph, audio, graph].entries()) {
      // While the next sentence is being said.
      const isTime = (output: string): boolean =>
        captionsIn(output.split('\n')).length / 2 === index && /…[^\n]+\n$/.test(output);
      cuts.push(await cut(proxy, `a guess of sentence ${index + 1}`, isTime));
    }
    const lines = await linesOf(demo);

    expect(Math.min(...cuts)).toBeGreaterThan(0);
    expect(captionsIn(lines)).toEqual(undisturbed);
  }, 120_000);

  test('says once why there is no translation', async () => {
    const output = (await linesOf(startDemo(system.endpoint, '--to', 'xx'))).join('\n');
    expect(output.match(/^\(No engine here translates from .* to xx.*\)$/gm)).toHaveLength(1);
    expect(output.match(/xx: \(no translation\)/g)).toHaveLength(said.length);
  }, 120_000);

  test('says what to do when nothing answers, and when the file is not there or holds no sound', async () => {
    const alone = startDemo('http://127.0.0.1:1/graphql');
    expect(await alone.ended).toMatchObject({ code: 1 });
    expect(alone.output()).toMatch(/npm start/);

    const missing = startProcess('demo:live', 'demo/live.js', { SAUTI_DATA_DIR: folder }, ['nowhere.wav']);
    expect(await missing.ended).toMatchObject({ code: 1 });
    expect(missing.output()).toMatch(/There is no file .*nowhere\.wav/);

    const noSound = ['--url', system.endpoint, __filename];
    const silent = startProcess('demo:live', 'demo/live.js', { SAUTI_DATA_DIR: folder }, noSound);
    expect(await silent.ended).toMatchObject({ code: 1 });
    expect(silent.output()).toMatch(/The sound cannot be read: .*Invalid data/);
  }, 60_000);
});

/** Lines of captions that are final, and those of their translations below them. */
function captionsIn(lines: readonly string[]): string[] {
  return lines.filter((line) => /^ {2}\d\d:\d\d\.\d – |^ {21}es: /.test(line));
}

/** As a matcher within an object. */
function atMost(limit: number): number {
  return {
    asymmetricMatch: (value: number) => value <= limit,
    toString: () => `at most ${limit}`,
  } as unknown as number;
}
