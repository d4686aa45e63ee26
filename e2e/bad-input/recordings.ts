import { execFile } from 'node:child_process';
import { copyFile, readFile, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ffmpeg = (...args: string[]): Promise<unknown> => run('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...args]);

/** Files that cannot become a transcript; each function writes one into `folder` and answers its path. */
export const badRecordings = {
  async empty(folder: string): Promise<string> {
    return written(folder, 'empty.wav', '');
  },
  async textNamedWav(folder: string): Promise<string> {
    return written(folder, 'notes.wav', 'These are only notes, whatever the name says.\n');
  },
  /** Asks whoever plays it to read another local file. */
  async playlistNamedMp4(folder: string, victim: string): Promise<string> {
    return written(
      folder,
      'playlist.mp4',
      `#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile://${victim}\n#EXT-X-ENDLIST\n`,
    );
  },
  /** A valid WAV header that promises no samples. */
  async noSamples(folder: string): Promise<string> {
    const header = Buffer.alloc(44);
    header.write('RIFF', 0);
    header.writeUInt32LE(36, 4);
    header.write('WAVEfmt ', 8);
    header.writeUInt32LE(16, 16);
    header.writeUInt16LE(1, 20);
    header.writeUInt16LE(1, 22);
    header.writeUInt32LE(16_000, 24);
    header.writeUInt32LE(32_000, 28);
    header.writeUInt16LE(2, 32);
    header.writeUInt16LE(16, 34);
    header.write('data', 36);
    return written(folder, 'nothing.wav', header);
  },
  /** A WAV whose format tag no decoder knows. */
  async unknownCodec(folder: string, speech: string): Promise<string> {
    const target = path.join(folder, 'unknown-codec.wav');
    await copyFile(speech, target);
    const bytes = await readFile(target);
    bytes.writeUInt16LE(0x7abc, 20);
    await writeFile(target, bytes);
    return target;
  },
  /** An MP4 that lost its end, and with it the index that says where the sound is. */
  async cutOff(folder: string, speech: string): Promise<string> {
    const target = path.join(folder, 'cut-off.m4a');
    await ffmpeg('-i', speech, target);
    await truncate(target, 20_000);
    return target;
  },
  async twoHoursOfSilence(folder: string): Promise<string> {
    const target = path.join(folder, 'silence.flac');
    await ffmpeg('-f', 'lavfi', '-i', 'anullsrc=r=16000:cl=mono', '-t', '7200', target);
    return target;
  },
};

async function written(folder: string, name: string, content: string | Buffer): Promise<string> {
  const target = path.join(folder, name);
  await writeFile(target, content);
  return target;
}
