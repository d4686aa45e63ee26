import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { buildGoldenSpeech } from '../../platform/testing/golden-speech';
import { describeInBothModes } from '../engines';
import { startProcess, startSystem, type System } from '../system';

describeInBothModes('the demo', (mode) => {
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

  test('shows progress, segments with times, Spanish and the notification, and writes both subtitle files', async () => {
    const demo = startProcess('demo', 'demo/main.js', { SAUTI_DATA_DIR: folder }, [
      path.join(folder, 'voice.wav'),
      '--url',
      system.endpoint,
    ]);

    expect({ ...(await demo.ended), output: demo.output() }).toMatchObject({ code: 0 });

    expect(demo.output()).toMatch(/Signed up as demo-\w+@example\.com\./);
    expect(demo.output()).toMatch(/\[█+·*\] +\d+ %/);
    expect(demo.output()).toMatch(/00:\d\d\.\d – 00:\d\d\.\d {2}\w+/);
    expect(demo.output()).toMatch(/es: \w+/);
    expect(demo.output()).toMatch(/Notification: .*transcript/i);
    expect(await readFile(path.join(folder, 'transcript.srt'), 'utf8')).toMatch(/^1\r?\n\d\d:\d\d:\d\d,\d{3} --> /);
    expect(await readFile(path.join(folder, 'transcript.vtt'), 'utf8')).toMatch(/^WEBVTT/);
  }, 120_000);

  test('says what to do when nothing answers', async () => {
    const demo = startProcess('demo', 'demo/main.js', { SAUTI_DATA_DIR: folder }, [
      path.join(folder, 'voice.wav'),
      '--url',
      'http://127.0.0.1:1/graphql',
    ]);
    expect(await demo.ended).toMatchObject({ code: 1 });
    expect(demo.output()).toMatch(/npm start/);
  });
});
