import { EnvironmentReader } from '../../platform/environment';
import { silentLogger } from '../../platform/logger';
import { readSpeechSettings } from './speech-settings';
import { createTranscribers } from './transcribers';

function read(env: Record<string, string>) {
  const reader = new EnvironmentReader(env);
  const settings = readSpeechSettings(reader);
  reader.check();
  return settings;
}

test('without a word of the environment there is PocketSphinx', () => {
  expect(read({})).toEqual({ order: ['pocketsphinx'], deepgram: null, openai: null, sherpa: null });
});

test('engines that are configured come before it, best first', () => {
  const settings = read({
    DEEPGRAM_API_KEY: 'k',
    OPENAI_SPEECH_URL: 'http://127.0.0.1:8000',
    SPEECH_MODEL_DIR: '/models',
  });
  expect(settings.order).toEqual(['deepgram', 'openai', 'sherpa', 'pocketsphinx']);
  expect(settings.deepgram).toEqual({
    url: 'https://api.deepgram.com',
    apiKey: 'k',
    model: 'nova-3',
    timeoutMs: 900_000,
  });
  expect(settings.openai).toMatchObject({
    url: 'http://127.0.0.1:8000',
    apiKey: null,
    model: 'whisper-1',
    wordTimes: true,
    pieces: { idealMs: 60_000, maxMs: 90_000, parallel: 4 },
  });
  expect(settings.sherpa).toEqual({ directory: '/models', languages: [], threads: 1 });
});

test('SPEECH_ENGINES gives the order and leaves out what it does not name', () => {
  expect(read({ DEEPGRAM_API_KEY: 'k', SPEECH_ENGINES: 'pocketsphinx, deepgram,pocketsphinx' }).order).toEqual([
    'pocketsphinx',
    'deepgram',
  ]);
});

test('all faults are told together', () => {
  const env = {
    SPEECH_ENGINES: 'whisper',
    OPENAI_SPEECH_URL: 'not a url',
    OPENAI_SPEECH_WORD_TIMES: 'yes',
    SPEECH_MODEL_LANGUAGES: 'English',
    DEEPGRAM_TIMEOUT_SECONDS: '1',
  };
  expect(() => read(env)).toThrow(
    /(?=[^]*SPEECH_ENGINES may name)(?=[^]*OPENAI_SPEECH_URL)(?=[^]*WORD_TIMES)(?=[^]*"English")(?=[^]*DEEPGRAM_TIMEOUT)/,
  );
});

test('a piece never exceeds what OpenAI takes', () => {
  expect(read({ OPENAI_SPEECH_API_KEY: 'k', OPENAI_SPEECH_PIECE_SECONDS: '600' }).openai?.pieces.maxMs).toBe(786_000);
});

test('an engine that is named but lacks its settings is listed with what to set', async () => {
  const settings = read({ SPEECH_ENGINES: 'deepgram,openai,sherpa' });
  await using engines = createTranscribers({ settings, concurrency: 1, logger: silentLogger });
  expect((await engines.list()).map(({ info, probe }) => [info.id, probe])).toEqual([
    ['deepgram', { available: false, reason: 'Set DEEPGRAM_API_KEY.' }],
    ['openai', { available: false, reason: 'Set OPENAI_SPEECH_URL or OPENAI_SPEECH_API_KEY.' }],
    ['sherpa', { available: false, reason: 'Set SPEECH_MODEL_DIR to a folder with a model.' }],
  ]);
});
