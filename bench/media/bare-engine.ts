import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { repositoryRoot } from '../../platform/root';
import { findPocketSphinx } from '../../subgraphs/media/transcriber/pocketsphinx/installation';
import { VoiceActivity } from '../../subgraphs/media/transcriber/voice-activity';

/** Samples handed over at once: 0.2 s. */
const CHUNK_SAMPLES = 3_200;
/** The engine has to hear an end: 0.3 s. */
const TRAILING_SILENCE = new Int16Array(4_800);

interface Library {
  begin(): void;
  feed(pcm: Int16Array): void;
  finish(): { text: string }[];
}

/**
 * The engine alone: the library called in one process on the same utterances of raw audio (16 kHz, mono, 16 bit), without
 * pieces, processes, pipes or rows. Prints `ready` once the model is loaded, then the words, then `done`.
 */
async function main(pcmFile: string): Promise<void> {
  const library = openLibrary();
  process.stdout.write('ready\n');
  const voice = new VoiceActivity();
  const words: string[] = [];
  for (const event of voiceEvents(voice, await readFile(pcmFile))) {
    if (event.type === 'begin') library.begin();
    else if (event.type === 'audio') library.feed(event.samples);
    else {
      library.feed(TRAILING_SILENCE);
      words.push(...library.finish().map(({ text }) => text));
    }
  }
  process.stdout.write(`${words.join(' ')}\ndone\n`);
  setInterval(() => undefined, 60_000); // its CPU time is read now
}

function openLibrary(): Library {
  const { modelDirectory, libraries } = findPocketSphinx({});
  const folder = path.join(repositoryRoot(), 'subgraphs/media/transcriber/pocketsphinx/child');
  const load = createRequire(path.join(folder, 'main.cjs'));
  const { loadNative } = load('./native.cjs') as { loadNative: (libraries: object) => object };
  const { Decoder } = load('./decoder.cjs') as { Decoder: new (native: object, options: object) => Library };
  return new Decoder(loadNative(libraries), { modelDirectory, withModel: true });
}

function* voiceEvents(voice: VoiceActivity, bytes: Buffer) {
  const samples = new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  for (let at = 0; at < samples.length; at += CHUNK_SAMPLES) yield* voice.push(samples.slice(at, at + CHUNK_SAMPLES));
  yield* voice.finish();
}

void main(process.argv[2]!);
