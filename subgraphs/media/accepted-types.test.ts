import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { SNIFF_BYTES, sniffMimeType } from '../../platform/objects/sniff';
import { describeWhenInstalled, programMissing } from '../../platform/testing/installed';
import { inspectMedia } from './decoder/inspect-media';
import { kindOf } from './media-input';

const run = promisify(execFile);
const SOUND = ['wav', 'mp3', 'm4a', 'flac', 'ogg', 'opus', 'aac', 'aiff', 'au', 'caf', 'ac3', 'wv', 'wma'];
const VIDEO = ['mp4', 'mov', 'mkv', 'webm', '3gp', 'avi', 'ts', 'mpg', 'wmv', 'flv'];

describeWhenInstalled(programMissing('ffmpeg', 'ffmpeg'), 'a recording as ffmpeg writes it', () => {
  let folder: string;
  beforeAll(async () => (folder = await mkdtemp(path.join(os.tmpdir(), 'sauti-types-'))));
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test.each([...SOUND, ...VIDEO])('is taken as .%s', async (ending) => {
    const file = path.join(folder, `recording.${ending}`);
    const sound = ['-f', 'lavfi', '-i', 'sine=d=2:r=8000'];
    const picture = VIDEO.includes(ending) ? ['-f', 'lavfi', '-i', 'testsrc2=s=176x144:r=25:d=2'] : [];
    const codecs = { '3gp': ['-c:v', 'h263', '-c:a', 'aac'], webm: ['-c:v', 'vp8', '-c:a', 'libopus'] }[ending] ?? [];
    const rate = ['flv', 'mpg', 'ts', 'ac3'].includes(ending) ? ['-ar', '44100'] : [];
    await run('ffmpeg', ['-v', 'error', '-y', ...sound, ...picture, '-shortest', ...codecs, ...rate, file]);
    const head = (await readFile(file)).subarray(0, SNIFF_BYTES);
    expect(['AUDIO', 'VIDEO']).toContain(kindOf(await sniffMimeType(head), []));
    const inspection = await inspectMedia(file, { signal: new AbortController().signal });
    expect(inspection.video !== null).toBe(VIDEO.includes(ending));
  });
});
