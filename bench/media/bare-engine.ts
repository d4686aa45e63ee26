import { readFile } from 'node:fs/promises';
import { EnvironmentReader } from '../../platform/environment';
import { silentLogger } from '../../platform/logger';
import { readSpeechSettings } from '../../subgraphs/media/speech-settings';
import { createTranscribers } from '../../subgraphs/media/transcribers';

/** Samples handed over at once: 0.2 s. */
const CHUNK_SAMPLES = 3_200;

/** The engine alone, in a process of its own: recognizes raw audio (16 kHz, mono, 16 bit) and prints `done` and the text. */
async function main(pcmFile: string): Promise<void> {
  const settings = readSpeechSettings(new EnvironmentReader({}));
  const transcribers = createTranscribers({ settings, concurrency: 1, logger: silentLogger });
  const engine = await transcribers.choose({ language: 'en' });
  const texts: string[] = [];
  const { signal } = new AbortController();
  process.stdout.write('ready\n');
  for await (const { text } of engine.transcribe(chunksOf(await readFile(pcmFile)), { language: 'en', signal }))
    texts.push(text);
  process.stdout.write(`${texts.join('\n')}\ndone\n`);
  setInterval(() => undefined, 60_000); // its CPU time is read now
}

async function* chunksOf(bytes: Buffer): AsyncGenerator<Int16Array, void, undefined> {
  const samples = new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  for (let at = 0; at < samples.length; at += CHUNK_SAMPLES) yield samples.slice(at, at + CHUNK_SAMPLES);
}

void main(process.argv[2]!);
