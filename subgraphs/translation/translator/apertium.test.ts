import { spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describeWhenInstalled } from '../../../platform/testing/installed';
import { waitFor } from '../../../platform/testing/wait';
import { apertiumMissing, killProgram, MODE_DIRECTORY, programsOf, shellsOf } from '../testing';
import { ApertiumTranslator } from './apertium';

let directory: string;
beforeEach(() => (directory = mkdtempSync(path.join(os.tmpdir(), 'sauti-apertium-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('without Apertium', () => {
  test('names the command that installs it', async () => {
    await using translator = new ApertiumTranslator({ modeDirectories: ['/nonexistent/modes'] });
    expect(await translator.probe()).toEqual({
      available: false,
      reason: 'Apertium is not installed (no /nonexistent/modes). Run: apt-get install apertium apertium-eng-spa',
    });
    expect(translator.pairs()).toEqual([]);
  });

  test('tells that no language pair is installed', async () => {
    await using translator = new ApertiumTranslator({ modeDirectories: [directory] });
    expect(await translator.probe()).toMatchObject({
      available: false,
      reason: expect.stringMatching(/no language pair.*apt-get/) as string,
    });
  });
});

describeWhenInstalled(apertiumMissing, 'Apertium', () => {
  let translator: ApertiumTranslator;
  beforeAll(() => (translator = new ApertiumTranslator({ modeDirectories: [MODE_DIRECTORY] })));
  afterAll(() => translator[Symbol.asyncDispose]());

  const translate = async (texts: string[], signal?: AbortSignal) =>
    translator.translate({ texts, source: 'en', target: 'es', signal });
  const translateOne = async (text: string) => (await translate([text])).texts[0];

  test('translates both ways', async () => {
    expect(await translator.probe()).toEqual({ available: true });
    expect(await translate(['Clean water is important.', 'I have three books.'])).toEqual({
      texts: ['El agua limpia es importante.', 'Tengo tres libros.'],
      unknownWords: [[], []],
    });
    const back = await translator.translate({ texts: ['El agua limpia es importante.'], source: 'es', target: 'en' });
    expect(back.texts).toEqual(['The clean water is important.']);
  });

  test('finds a pair that is installed later', async () => {
    await using later = new ApertiumTranslator({ modeDirectories: [directory] });
    expect(later.pairs()).toEqual([]);
    copyFileSync(path.join(MODE_DIRECTORY, 'eng-spa.mode'), path.join(directory, 'eng-spa.mode'));
    expect(await later.probe()).toEqual({ available: true });
    expect(later.pairs()).toEqual([{ source: 'en', target: 'es', route: ['en', 'es'] }]);
  });

  test('returns unknown words as they were, without marks, and reports them', async () => {
    const { texts, unknownWords } = await translate(['The xyzzy is near the foobarbaz.', 'The water.']);
    expect(texts[0]).toMatch(/xyzzy.*foobarbaz/);
    expect(texts.join()).not.toMatch(/[*@#]/);
    expect(unknownWords).toEqual([['xyzzy', 'foobarbaz'], []]);
  });

  test.each([
    ['[a1] {b2} ^c3$ 1/2 \\ <d4>', ['[', ']', '{', '}', '^', '$', '/', '\\', '<', '>']],
    ['Write to user@example.com now.', ['user@example.com']],
    ['*water* and #water and ~5', ['*agua*', '#agua', '~5']],
    ['The \uFFFF water.', ['\uFFFD', 'agua']],
    ['The water \0is clean.', ['agua']],
    ['👨‍👩‍👧 water', ['👨‍👩‍👧']],
  ])('survives what the stream format reserves: %j', async (text, kept) => {
    const translation = await translateOne(text);
    for (const piece of kept) expect(translation).toContain(piece);
    expect(await translateOne('The dog.')).toBe('El perro.');
  });

  test('keeps line breaks and outer white space, and blank texts as they are', async () => {
    expect(await translateOne('  The water is clean.\r\n\r\n- The dog\n\tThree books \n')).toBe(
      '  El agua es limpia.\r\n\r\n- El perro\n\tTres libros \n',
    );
    expect((await translate(['', ' \n ', '\0'])).texts).toEqual(['', ' \n ', '']);
  });

  test('loses no part of a long text without spaces', async () => {
    const text = 'water.'.repeat(1_000);
    expect((await translateOne(text))!.split('.')).toHaveLength(1_001);
  });

  test('gives 200 concurrent requests each its own answer', async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) => translateOne(`The dog has ${index + 1000} books.`)),
    );
    answers.forEach((answer, index) => expect(answer).toBe(`El perro tiene ${index + 1000} libros.`));
  });

  test.each(['apertium-tagger', 'lrx-proc'])('recovers when %s is killed', async (program) => {
    await translateOne('The dog.');
    const groups = shellsOf(process.pid);
    expect(groups.length).toBeGreaterThan(0);
    for (const group of groups) killProgram(group, program.slice(0, 15)); // the kernel keeps 15 characters of a name
    expect(await Promise.all(['The dog.', 'The water.'].map(translateOne))).toEqual(['El perro.', 'El agua.']);
  });

  test('rejects an aborted call with its reason', async () => {
    await expect(translate(['The dog.'], AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
  });

  test('refuses a pair that is not installed and a text that is too long', async () => {
    await expect(translator.translate({ texts: ['Habari'], source: 'sw', target: 'es' })).rejects.toMatchObject({
      code: 'PAIR_UNSUPPORTED',
    });
    await expect(translate(['a'.repeat(100_001)])).rejects.toMatchObject({ code: 'TEXT_TOO_LONG' });
  });

  test('goes through a pivot language and reports unknown words of both steps once', async () => {
    copyFileSync(path.join(MODE_DIRECTORY, 'eng-spa.mode'), path.join(directory, 'eng-spa.mode'));
    copyFileSync(path.join(MODE_DIRECTORY, 'spa-eng.mode'), path.join(directory, 'spa-cat.mode')); // "Catalan" is English here
    await using pivoting = new ApertiumTranslator({ modeDirectories: [directory] });
    const result = await pivoting.translate({ texts: ['The water is clean, xyzzy.'], source: 'en', target: 'ca' });
    expect(result).toEqual({
      texts: ['The water is clean, xyzzy.'],
      unknownWords: [['xyzzy']],
    });
  });

  test('keeps only so many pairs warm', async () => {
    const before = new Set(shellsOf(process.pid));
    const added = () => shellsOf(process.pid).filter((shell) => !before.has(shell));
    await using small = new ApertiumTranslator({ modeDirectories: [MODE_DIRECTORY], maxWarmPairs: 1 });
    await small.translate({ texts: ['The dog.'], source: 'en', target: 'es' });
    const [first] = added();
    await small.translate({ texts: ['El perro.'], source: 'es', target: 'en' });
    await waitFor('the first pair to end', () => programsOf(first!).length === 0);
    expect(added()).toHaveLength(1);
  });

  test('keeps the pairs of ten languages warm that are asked for in turn', async () => {
    const targets = ['spa', 'fra', 'por', 'cat', 'ita', 'glg', 'oci', 'epo', 'deu', 'nld'];
    for (const target of targets) writeFileSync(path.join(directory, `eng-${target}.mode`), 'sed -u s/dog/perro/');
    const before = new Set(shellsOf(process.pid));
    const added = () => shellsOf(process.pid).filter((shell) => !before.has(shell));
    await using many = new ApertiumTranslator({ modeDirectories: [directory] });
    const translateAll = () =>
      Promise.all(
        many.pairs().map(async ({ source, target }) => {
          expect((await many.translate({ texts: ['The dog.'], source, target })).texts).toEqual(['The perro.']);
        }),
      );
    await translateAll();
    const first = added();
    expect(first).toHaveLength(10);
    await translateAll();
    expect(added()).toEqual(first);
  });

  test('its programs end when our process is killed with SIGKILL', async () => {
    const script = `
      const { ApertiumTranslator } = require(${JSON.stringify(path.join(__dirname, 'apertium.ts'))});
      const translator = new ApertiumTranslator({ modeDirectories: [${JSON.stringify(MODE_DIRECTORY)}] });
      translator.translate({ texts: ['The dog.'], source: 'en', target: 'es' }).then(({ texts }) => console.log(texts[0]));`;
    const register = path.join(__dirname, '../../../platform/testing/register.cjs');
    const child = spawn(process.execPath, ['-r', register, '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const [answer] = (await child.stdout.setEncoding('utf8').take(1).toArray()) as string[];
      expect(answer).toBe('El perro.\n');
      const [group] = shellsOf(child.pid!);
      expect(programsOf(group!).length).toBeGreaterThan(10);
      child.kill('SIGKILL');
      await waitFor('all programs to end', () => programsOf(group!).length === 0);
    } finally {
      child.kill('SIGKILL');
    }
  });
});
