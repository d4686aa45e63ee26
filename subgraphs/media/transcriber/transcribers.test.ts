import type { Probe, Transcriber, TranscriberInfo } from './transcriber';
import { createTranscribers, type WantedRecognition } from './transcribers';

function anEngine(
  id: string,
  languages: string[],
  probe: Probe = { available: true },
  able: Partial<TranscriberInfo> = {},
): Transcriber & { closed: () => boolean } {
  let isClosed = false;
  return {
    info: {
      id,
      task: 'RECOGNIZE',
      local: true,
      languages,
      streaming: true,
      wordTimes: true,
      speakers: false,
      confidence: true,
      grammar: false,
      detectsLanguage: false,
      punctuation: true,
      maxKeyterms: 0,
      pieces: null,
      quality: 'Says what the test wrote.',
      ...able,
    },
    closed: () => isClosed,
    probe: async () => probe,
    async *transcribe() {},
    async [Symbol.asyncDispose]() {
      isClosed = true;
    },
  };
}

const missing: Probe = { available: false, reason: 'Install with: apt-get install something' };

test('chooses the first engine that takes the language', async () => {
  const swahili = anEngine('swahili', ['sw']);
  const english = anEngine('english', ['en-US']);
  const both = anEngine('both', ['sw', 'en']);
  const engines = createTranscribers([swahili, english, both]);
  expect(await engines.choose({ language: 'sw-KE' })).toBe(swahili);
  expect(await engines.choose({ language: 'en' })).toBe(english);
  expect(await engines.choose({ language: 'EN-gb' })).toBe(english);
  expect(await engines.choose({})).toBe(swahili);
  expect(await engines.choose({ language: 'sw', engineId: 'both' })).toBe(both);
});

test('passes over an engine that is not installed', async () => {
  const second = anEngine('second', ['en']);
  expect(await createTranscribers([anEngine('first', ['en'], missing), second]).choose({ language: 'en' })).toBe(
    second,
  );
});

test('says what to install when the engines for a language are missing', async () => {
  const engines = createTranscribers([anEngine('first', ['en'], missing), anEngine('other', ['fr'])]);
  await expect(engines.choose({ language: 'en' })).rejects.toMatchObject({
    code: 'ENGINE_UNAVAILABLE',
    message: expect.stringContaining('first: Install with: apt-get install something') as string,
  });
});

test('names the languages it has when no engine takes the one asked for', async () => {
  await expect(
    createTranscribers([anEngine('first', ['en-US'], missing)]).choose({ language: 'zu' }),
  ).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    message: expect.stringContaining('en-US') as string,
  });
});

test('an unknown engine id is answered with the known ones', async () => {
  await expect(createTranscribers([anEngine('first', ['en'])]).choose({ engineId: 'x' })).rejects.toMatchObject({
    code: 'ENGINE_UNAVAILABLE',
    message: expect.stringContaining('first') as string,
  });
});

test('lists every engine with its state and closes them all', async () => {
  const first = anEngine('first', ['en'], missing);
  const second = anEngine('second', ['fr']);
  const engines = createTranscribers([first, second]);
  expect(await engines.list()).toEqual([
    { info: first.info, probe: missing },
    { info: second.info, probe: { available: true } },
  ]);
  await engines[Symbol.asyncDispose]();
  expect([first.closed(), second.closed()]).toEqual([true, true]);
});

describe('engines that differ', () => {
  const plain = anEngine('plain', ['en']);
  const told = anEngine('told', ['en', 'sw'], { available: true }, { maxKeyterms: 40, detectsLanguage: true });
  const best = anEngine('best', ['en'], { available: true }, { maxKeyterms: 100, grammar: true, speakers: true });
  const registry = createTranscribers([plain, told, best]);
  const ids = async (wanted: WantedRecognition) => (await registry.candidates(wanted)).map(({ info }) => info.id);

  test('candidates are all that can do what is wanted, in order of preference', async () => {
    expect(await ids({})).toEqual(['plain', 'told', 'best']);
    expect(await ids({ language: 'sw' })).toEqual(['told']);
    expect(await ids({ keyterms: 1 })).toEqual(['told', 'best']);
    expect(await ids({ keyterms: 41 })).toEqual(['best']);
    expect(await ids({ grammar: true })).toEqual(['best']);
    expect(await ids({ speakers: true, keyterms: 3 })).toEqual(['best']);
    expect(await ids({ engineId: 'told', keyterms: 3 })).toEqual(['told']);
  });

  test('of several languages the engine must take each and find out which; one alone is the language', async () => {
    expect(await ids({ languages: ['en', 'sw'] })).toEqual(['told']);
    expect(await ids({ languages: ['en'] })).toEqual(['plain', 'told', 'best']);
    await expect(ids({ languages: ['en', 'zu'] })).rejects.toMatchObject({
      name: 'UnsupportedLanguageError',
      message: expect.stringContaining('"zu"'),
    });
    await expect(ids({ languages: ['en', 'sw'], engineId: 'plain' })).rejects.toMatchObject({
      name: 'UnsupportedLanguageError',
    });
  });

  test.each<[WantedRecognition, string, string]>([
    [{ engineId: 'plain', keyterms: 1 }, 'keyterms', 'told, best'],
    [{ language: 'sw', grammar: true }, 'grammar', 'best'],
    [{ language: 'sw', speakers: true }, 'speakers', 'best'],
    [{ languages: ['en', 'en-GB'], engineId: 'best' }, 'languages', 'told'],
  ])('%j: the option that none of them can is named, with the engines that could', async (wanted, option, able) => {
    await expect(ids(wanted)).rejects.toMatchObject({
      name: 'UnsupportedOptionError',
      code: 'UNSUPPORTED',
      option,
      message: expect.stringContaining(`Engines here that could: ${able}.`),
    });
  });

  test('says how many keyterms are possible', async () => {
    await expect(ids({ keyterms: 101 })).rejects.toThrow('At most 100 can be told. Engines here that could: none.');
  });

  test('when none of those that could is available the reason of each is told', async () => {
    const asleep = (reason: string): Probe => ({ available: false, reason });
    const engines = createTranscribers([
      anEngine('one', ['en'], asleep('It sleeps.')),
      anEngine('two', ['en'], asleep('It is away.')),
      anEngine('three', ['fr']),
    ]);
    await expect(engines.candidates({ language: 'en' })).rejects.toThrow('one: It sleeps. two: It is away.');
  });
});
