import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { normalizeWords, wordErrorRate } from '../../../../platform/testing/golden-speech';
import { describeWhenInstalled, programMissing } from '../../../../platform/testing/installed';
import { silentLogger } from '../../../../platform/logger';
import type { RecognizedSegment, Transcriber, TranscribeOptions } from '../transcriber';
import { createPocketSphinx } from './pocketsphinx';
import { pocketSphinxMissing } from './testing';

// A minute of speech takes 10 s of CPU; on a machine that does other work, many times that.
jest.setTimeout(600_000);

const CARDS = '/usr/share/pocketsphinx/test/data/cards';
const ALSA = '/usr/share/sounds/alsa';
const PROMPTS = '/usr/share/asterisk/sounds/en_US_f_Allison';
const PROMPT_TEXTS = '/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz';

const missing =
  programMissing('ffmpeg', 'ffmpeg') ??
  pocketSphinxMissing() ??
  fileMissing(`${CARDS}/cards.gram`, 'pocketsphinx-testdata') ??
  fileMissing(`${ALSA}/Front_Center.wav`, 'alsa-utils') ??
  fileMissing('/usr/bin/espeak-ng', 'espeak-ng') ??
  fileMissing(`${PROMPTS}/conf-extended.g722`, 'asterisk-core-sounds-en-g722') ??
  fileMissing(PROMPT_TEXTS, 'asterisk-core-sounds-en');

function fileMissing(file: string, debianPackage: string): string | null {
  return existsSync(file) ? null : `${file} is not here. Install it with: apt-get install ${debianPackage}`;
}

const signal = new AbortController().signal;

describeWhenInstalled(missing, 'a vocabulary for PocketSphinx', () => {
  let engine: Transcriber;
  beforeAll(() => void (engine = createPocketSphinx()));
  afterAll(() => engine[Symbol.asyncDispose]());

  test('cards are understood without an error by their grammar', async () => {
    const grammar = readFileSync(`${CARDS}/cards.gram`, 'utf8');
    const spoken = [...readFileSync(`${CARDS}/cards.transcription`, 'utf8').matchAll(/<s> (.*?) +<\/s>/g)];
    const wanted = spoken.map(([, text]) => text).join(' ');
    const heard: string[] = [];
    for (const id of ['001', '002', '003', '004', '005']) {
      heard.push(await hear(pcmOf(`${CARDS}/${id}.wav`), { vocabulary: { keyterms: [], grammar } }));
    }
    expect(wordErrorRate(wanted, heard.join(' '))).toBe(0);
  });

  test('loudspeaker names are understood without an error by a grammar, and badly without', async () => {
    const grammar = 'public <speaker> = (front | rear | side) (center | left | right);';
    const names = ['Front_Center', 'Front_Left', 'Front_Right', 'Rear_Center', 'Rear_Left', 'Side_Left', 'Side_Right'];
    const held: string[] = [];
    const free: string[] = [];
    for (const name of names) {
      held.push(await hear(pcmOf(`${ALSA}/${name}.wav`), { vocabulary: { keyterms: [], grammar } }));
    }
    for (const name of names) free.push(await hear(pcmOf(`${ALSA}/${name}.wav`)));
    expect(held.map((text) => text.toLowerCase())).toEqual(
      names.map((name) => `${name.replace('_', ' ').toLowerCase()}.`),
    );
    expect(wordErrorRate(names.join(' '), free.join(' '))).toBeGreaterThan(0.2);
  });

  test("a speaker's other sentences take away a third of the errors", async () => {
    const prompts = readPrompts();
    const isHeard = (_: unknown, index: number) => index % 20 === 5;
    const heard = prompts.filter(isHeard).slice(0, 5);
    const keyterms = prompts.filter((...place) => !isHeard(place[0], place[1])).map(({ text }) => text);
    const wanted = heard.map(({ text }) => text).join(' ');
    const audio = concatenate(heard.map(({ id }) => pcmOf(`${PROMPTS}/${id}.g722`)));
    const before = await hear(audio);
    const told = await hear(audio, { vocabulary: { keyterms } });
    const [base, better] = [before, told].map((text) => wordErrorRate(wanted, text)) as [number, number];
    process.stderr.write(
      `${normalizeWords(wanted).length} words: WER ${(base * 100).toFixed(1)} %, with ${keyterms.length} other sentences ${(better * 100).toFixed(1)} %\n`,
    );
    expect(better).toBeLessThan(base * (2 / 3));
  });

  test('a word that the dictionary lacks is heard and written as its keyterm writes it, and unknown to the next call', async () => {
    // Flite says what nobody has recorded; its sounds for the name are its own.
    const audio = flite('the doctor will visit the school in kisumu next week');
    const keyterms = ['Kisumu', 'The doctor will visit the school in Kisumu.'];
    expect(await hear(audio, { vocabulary: { keyterms } })).toMatch(/school in Kisumu/);
    expect(await hear(audio)).not.toMatch(/kisumu/i);
  });

  test('without espeak-ng a word that nobody can say is left out and told', async () => {
    const told: object[] = [];
    const logger = { ...silentLogger, warn: (details: object) => void told.push(details) };
    await using mute = createPocketSphinx({ espeak: '/nowhere/espeak-ng', logger });
    const vocabulary = { keyterms: ['front center', 'Kisumu'] };
    expect(await hear(pcmOf(`${ALSA}/Front_Center.wav`), { vocabulary }, mute)).toBe('Front center.');
    expect(told).toEqual([{ words: 1 }]); // not which: they are the caller's
    const grammar = 'public <a> = front\n | kisumu;';
    const hearing = hear(pcmOf(`${ALSA}/Front_Center.wav`), { vocabulary: { keyterms: [], grammar } }, mute);
    await expect(hearing).rejects.toMatchObject({ code: 'INVALID_VOCABULARY', line: 2 });
  });

  test('a grammar that cannot be read is refused with its line, and the decoder is free', async () => {
    const hearing = hear(new Int16Array(16_000), { vocabulary: { keyterms: [], grammar: 'public <a> =\n<b>;' } });
    await expect(hearing).rejects.toMatchObject({ code: 'INVALID_VOCABULARY', line: 2, retryable: false });
    expect(await hear(new Int16Array(16_000))).toBe('');
  });

  async function hear(pcm: Int16Array, options: Partial<TranscribeOptions> = {}, by = engine): Promise<string> {
    async function* audio() {
      yield pcm;
      yield new Int16Array(16_000);
    }
    const segments: RecognizedSegment[] = [];
    for await (const segment of by.transcribe(audio(), { signal, ...options })) segments.push(segment);
    return segments.map(({ text }) => text).join(' ');
  }
});

/** Prompts of at least four words and their texts, except those that are no speech. */
function readPrompts(): { id: string; text: string }[] {
  const lines = gunzipSync(readFileSync(PROMPT_TEXTS)).toString('latin1').split('\n');
  return lines.flatMap((line) => {
    const [, id, text] = /^([\w-]+):\s*([^[]+?)\s*$/.exec(line) ?? [];
    const isUsable = text && normalizeWords(text).length >= 4 && existsSync(`${PROMPTS}/${id}.g722`);
    return isUsable ? [{ id: id!, text }] : [];
  });
}

function pcmOf(file: string): Int16Array {
  const format = file.endsWith('.g722') ? ['-f', 'g722'] : [];
  const output = ['-ac', '1', '-ar', '16000', '-f', 's16le', 'pipe:1'];
  return samplesOf(execFileSync('ffmpeg', ['-v', 'error', ...format, '-i', file, ...output], { maxBuffer: 2 ** 26 }));
}

/** Half a second before, and 0.9 s of silence behind each. */
function concatenate(parts: Int16Array[]): Int16Array {
  return Int16Array.from([
    ...new Array<number>(8_000).fill(0),
    ...parts.flatMap((part) => [...part, ...new Array<number>(14_400).fill(0)]),
  ]);
}

function flite(text: string): Int16Array {
  const source = `flite=voice=rms:text='${text}'`;
  const output = ['-ac', '1', '-ar', '16000', '-f', 's16le', 'pipe:1'];
  return samplesOf(execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', source, ...output]));
}

function samplesOf(bytes: Buffer): Int16Array {
  return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}
