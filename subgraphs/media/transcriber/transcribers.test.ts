import type { Probe, Transcriber } from './transcriber';
import { createTranscribers } from './transcribers';

function anEngine(
  id: string,
  languages: string[],
  probe: Probe = { available: true },
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
