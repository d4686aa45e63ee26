import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';

const run = promisify(execFile);

/** Debian: asterisk-core-sounds-en (texts, latin-1) and asterisk-core-sounds-en-g722 (16 kHz human voice), CC-BY-SA-3.0. */
const SOUNDS_DIRECTORY = '/usr/share/asterisk/sounds/en_US_f_Allison';
const TEXTS_FILE = '/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz';

/** The prompts of the fixture in the order they are spoken. */
const PROMPTS = [
  'conf-extended',
  'conf-now-recording',
  'conf-onlyperson',
  'conf-leaderhasleft',
  'conf-placeintoconf',
  'cannot-complete-as-dialed',
  'demo-echodone',
  'dir-nomore',
  'conf-roll-callcomplete',
  'confbridge-only-participant',
] as const;
const LEAD_MS = 500;
const GAP_MS = 900;
const SAMPLES_PER_MS = 16;

/** What is spoken when in the golden recording. A prompt file may begin with a breath before its first word. */
export interface GoldenUtterance {
  text: string;
  startMs: number;
  endMs: number;
}

/** Why the golden recording cannot be built here, with the command that helps; null when it can. */
export function goldenSpeechMissing(): string | null {
  const files = [TEXTS_FILE, ...PROMPTS.map(promptFile)];
  const missing = files.find((file) => !existsSync(file));
  if (missing == null) return null;
  return `${missing} is not here. Install it with: apt-get install ffmpeg asterisk-core-sounds-en asterisk-core-sounds-en-g722`;
}

/**
 * Writes about 36 s of human speech to `targetPath` (WAV, 16 kHz, mono): ten prompts after 0.5 s of digital silence, 0.9 s
 * of it between them and at the end. Resolves with the reference texts and the place of each prompt.
 */
export async function buildGoldenSpeech(targetPath: string): Promise<GoldenUtterance[]> {
  const texts = readTexts();
  const pieces: Buffer[] = [silence(LEAD_MS)];
  const utterances: GoldenUtterance[] = [];
  let positionMs = LEAD_MS;
  for (const prompt of PROMPTS) {
    const pcm = await decodePrompt(prompt);
    const durationMs = pcm.length / 2 / SAMPLES_PER_MS;
    utterances.push({ text: texts.get(prompt)!, startMs: positionMs, endMs: positionMs + durationMs });
    pieces.push(pcm, silence(GAP_MS));
    positionMs += durationMs + GAP_MS;
  }
  await encode(Buffer.concat(pieces), targetPath);
  return utterances;
}

/** The samples of a WAV as {@link buildGoldenSpeech} writes it: 16 bit, without the header. */
export async function samplesOf(wavFile: string): Promise<Buffer> {
  const wav = await readFile(wavFile);
  // The header has a chunk of ffmpeg's own before that of the samples, so its length is not always 44 bytes.
  return wav.subarray(wav.indexOf('data', 36, 'latin1') + 8);
}

/** Word errors (substituted, missing, added) per word of the reference, after normalising both. */
export function wordErrorRate(reference: string, hypothesis: string): number {
  const wanted = normalizeWords(reference);
  const heard = normalizeWords(hypothesis);
  // Levenshtein distance over words, one row at a time.
  let row = heard.map((_, index) => index + 1);
  wanted.forEach((word, wantedIndex) => {
    let diagonal = wantedIndex;
    let left = wantedIndex + 1;
    row = row.map((above, index) => {
      const changed = diagonal + (word === heard[index] ? 0 : 1);
      diagonal = above;
      return (left = Math.min(changed, above + 1, left + 1));
    });
  });
  return (row.at(-1) ?? wanted.length) / wanted.length;
}

/** Lower case, digits as words, hyphens split, no punctuation but the apostrophe inside a word. */
export function normalizeWords(text: string): string[] {
  const digits = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
  return text
    .toLowerCase()
    .replace(/\d/g, (digit) => ` ${digits[Number(digit)]!} `)
    .replace(/[^\p{L}']+/gu, ' ')
    .split(' ')
    .map((word) => word.replace(/^'+|'+$/g, ''))
    .filter((word) => word !== '');
}

function promptFile(prompt: string): string {
  return path.join(SOUNDS_DIRECTORY, `${prompt}.g722`);
}

/** Lines of the package's list are `id: text`. */
function readTexts(): Map<string, string> {
  const lines = gunzipSync(readFileSync(TEXTS_FILE)).toString('latin1').split('\n');
  return new Map(
    lines.flatMap((line) => {
      const [, id, text] = /^([\w/-]+):\s*(.+?)\s*$/.exec(line) ?? [];
      return id != null && text != null ? [[id, text] as const] : [];
    }),
  );
}

async function decodePrompt(prompt: string): Promise<Buffer> {
  const parameters = [
    '-v',
    'error',
    '-f',
    'g722',
    '-i',
    promptFile(prompt),
    '-ac',
    '1',
    '-ar',
    '16000',
    '-f',
    's16le',
    'pipe:1',
  ];
  const { stdout } = await run('ffmpeg', parameters, { encoding: 'buffer', maxBuffer: 16 * 1024 * 1024 });
  return stdout;
}

async function encode(pcm: Buffer, targetPath: string): Promise<void> {
  const encoding = run('ffmpeg', [
    '-v',
    'error',
    '-y',
    '-f',
    's16le',
    '-ar',
    '16000',
    '-ac',
    '1',
    '-i',
    'pipe:0',
    targetPath,
  ]);
  encoding.child.stdin!.end(pcm);
  await encoding;
}

function silence(durationMs: number): Buffer {
  return Buffer.alloc(durationMs * SAMPLES_PER_MS * 2);
}
