import { execFile } from 'node:child_process';
import { programEnvironment } from '../../../../../platform/environment';

/** Longer than espeak-ng takes for 20,000 words. */
const LIMIT_MS = 20_000;
const OUTPUT_BYTES = 8 * 1024 * 1024;

/** What espeak-ng writes (IPA) and CMU's dictionary writes (ARPABET), longest first; length, stress and ties are dropped. */
const SOUNDS: readonly (readonly [ipa: string, arpabet: string])[] = [
  ...([['tʃ', 'CH'], ['dʒ', 'JH'], ['aɪ', 'AY'], ['aʊ', 'AW'], ['eɪ', 'EY'], ['ɔɪ', 'OY'], ['oʊ', 'OW'], ['əʊ', 'OW']] as const),
  ...([['n̩', 'AH N'], ['l̩', 'AH L'], ['m̩', 'AH M']] as const),
  ...([['p', 'P'], ['b', 'B'], ['t', 'T'], ['d', 'D'], ['k', 'K'], ['ɡ', 'G'], ['g', 'G'], ['f', 'F'], ['v', 'V']] as const),
  ...([['θ', 'TH'], ['ð', 'DH'], ['s', 'S'], ['z', 'Z'], ['ʃ', 'SH'], ['ʒ', 'ZH'], ['h', 'HH'], ['ç', 'HH'], ['x', 'K']] as const),
  ...([['m', 'M'], ['n', 'N'], ['ŋ', 'NG'], ['ɲ', 'N Y'], ['l', 'L'], ['ɬ', 'L'], ['ɹ', 'R'], ['r', 'R'], ['j', 'Y'], ['w', 'W'], ['ɾ', 'T'], ['ʔ', 'T']] as const),
  ...([['i', 'IY'], ['ɪ', 'IH'], ['ᵻ', 'IH'], ['e', 'EY'], ['ɛ', 'EH'], ['æ', 'AE'], ['a', 'AA'], ['ɑ', 'AA'], ['ɒ', 'AA']] as const),
  ...([['ɔ', 'AO'], ['o', 'OW'], ['ʊ', 'UH'], ['u', 'UW'], ['ʌ', 'AH'], ['ə', 'AH'], ['ɐ', 'AH'], ['ɚ', 'ER'], ['ɜ', 'ER'], ['ɝ', 'ER']] as const),
]; // prettier-ignore

/**
 * How words are said in US English, as PocketSphinx's dictionary writes it (`K IY S UH M UW`), by the letter-to-sound
 * rules of espeak-ng. A word it cannot say is missing from the answer; without the program the answer is null.
 * Throws the signal's reason.
 */
export async function pronounce(
  words: readonly string[],
  { signal, program = 'espeak-ng' }: { signal: AbortSignal; program?: string },
): Promise<Map<string, string> | null> {
  if (words.length === 0) return new Map();
  // A line each: what might end a sentence or begin a command is taken out, so that the answer has as many lines.
  const lines = words.map((word) => word.replace(/[^\p{L}\p{M}\p{N}']+/gu, ' ').trim());
  const output = await say(program, `${lines.join('\n')}\n`, signal);
  if (output === null) return null;
  const said = output.split('\n').slice(0, -1);
  if (said.length !== words.length) throw new Error(`espeak-ng said ${said.length} of ${words.length} words.`);
  return new Map(
    words.map((word, index) => [word, toArpabet(said[index]!)] as const).filter(([, sounds]) => sounds !== ''),
  );
}

/** Empty when there is a sound that US English lacks, e.g. of the name of a foreign letter. */
export function toArpabet(ipa: string): string {
  const sounds: string[] = [];
  let rest = ipa.normalize('NFC').replace(/[ˈˌːˑ͡\s_|-]/gu, '');
  while (rest !== '') {
    const found = SOUNDS.find(([symbol]) => rest.startsWith(symbol));
    if (!found) return '';
    sounds.push(found[1]);
    rest = rest.slice(found[0].length);
  }
  return sounds.join(' ');
}

/** Null when there is no such program. */
function say(program: string, text: string, signal: AbortSignal): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const options = {
      env: programEnvironment(),
      timeout: LIMIT_MS,
      maxBuffer: OUTPUT_BYTES,
      killSignal: 'SIGKILL',
      signal,
    } as const;
    const child = execFile(program, ['-q', '--ipa', '-v', 'en-us'], options, (error, stdout) => {
      if (!error) return resolve(stdout);
      if (error.code === 'ENOENT') return resolve(null);
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the reason is handed on as it is
      reject(signal.aborted ? signal.reason : new Error('espeak-ng failed.', { cause: error }));
    });
    child.stdin!.on('error', () => {}).end(text); // a broken pipe is told by how it ended
  });
}
