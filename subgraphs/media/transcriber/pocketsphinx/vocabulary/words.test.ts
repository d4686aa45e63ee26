import { existsSync, readFileSync } from 'node:fs';
import { describeWhenInstalled } from '../../../../../platform/testing/installed';
import { pronounce, toArpabet } from './pronunciation';
import { wordsOf } from './words';

const DICTIONARY = '/usr/share/pocketsphinx/model/en-us/cmudict-en-us.dict';
const signal = new AbortController().signal;

test('words lose the punctuation around them and keep what is inside', () => {
  const written = wordsOf('“Is M-Pesa’s rock-’n’-roll (open)?” – 24/7… ').map((word) => word.written);
  expect(written).toEqual(['Is', "M-Pesa's", "rock-'n'-roll", 'open', '24', '7']);
});

test('what a grammar or a model could misread is entered under a name of our own', () => {
  const entries = wordsOf('Water Ñandú 42 AT&T a:b <s> #JSGF').map((word) => word.entry);
  const ours = expect.stringMatching(/^x-[0-9a-f]+$/) as string;
  expect(entries).toEqual(['water', ours, ours, ours, ours, 's', 'jsgf']);
});

test('what is no word anybody says is none', () => {
  expect(wordsOf(`… – ${'a'.repeat(61)}`)).toEqual([]);
});

test('sounds are written as the dictionary writes them', () => {
  expect(toArpabet('kˈɪsuːmˌuː')).toBe('K IH S UW M UW');
  expect(toArpabet('tʃˈɔɪs dʒˈʌdʒ')).toBe('CH OY S JH AH JH');
  expect(toArpabet('bˈʌʔn̩')).toBe('B AH T AH N');
  expect(toArpabet('ǃx')).toBe('');
});

const missing =
  existsSync('/usr/bin/espeak-ng') && existsSync(DICTIONARY) ? null : 'Install espeak-ng and pocketsphinx-en-us.';

describeWhenInstalled(missing, 'espeak-ng', () => {
  test('says words much as the dictionary does', async () => {
    const entries = readFileSync(DICTIONARY, 'utf8')
      .split('\n')
      .filter((_, index) => index % 150 === 0)
      .map((line) => line.trim().split(' '))
      .filter(([word]) => /^[a-z]+$/.test(word!));
    const said = (await pronounce(
      entries.map(([word]) => word!),
      { signal },
    ))!;
    const phones = new Set(readFileSync(DICTIONARY, 'utf8').match(/\b[A-Z]{1,2}\b/g));
    let errors = 0;
    let total = 0;
    for (const [word, ...sounds] of entries) {
      const own = said.get(word!)!.split(' ');
      expect(own.filter((sound) => !phones.has(sound))).toEqual([]);
      errors += distance(sounds, own);
      total += sounds.length;
    }
    process.stderr.write(`${entries.length} words: ${((errors / total) * 100).toFixed(1)} % of sounds differ\n`);
    expect(errors / total).toBeLessThan(0.15);
  });

  test('every word has its own answer, whatever is in it', async () => {
    const words = ['42', '[[x]]', 'a.b.c', '<speak>', '-v', 'chai', '!', 'ñandú'];
    const said = (await pronounce(words, { signal }))!;
    expect([...said.keys()]).toEqual(words.filter((word) => word !== '!'));
    expect(said.get('42')).toBe('F OW R T IY T UW');
  });

  test('an abort ends it', async () => {
    await expect(pronounce(['water'], { signal: AbortSignal.abort(new Error('cancelled')) })).rejects.toThrow(
      'cancelled',
    );
  });
});

test('without espeak-ng the answer is null', async () => {
  expect(await pronounce(['water'], { signal, program: '/nowhere/espeak-ng' })).toBeNull();
});

/** Levenshtein. */
function distance(wanted: readonly string[], found: readonly string[]): number {
  let row = found.map((_, index) => index + 1);
  wanted.forEach((sound, at) => {
    let [diagonal, left] = [at, at + 1];
    row = row.map((above, index) => {
      const changed = diagonal + (sound === found[index] ? 0 : 1);
      diagonal = above;
      return (left = Math.min(changed, above + 1, left + 1));
    });
  });
  return row.at(-1) ?? wanted.length;
}
