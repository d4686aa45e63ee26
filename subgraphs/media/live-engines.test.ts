import { silentLogger } from '../../platform/logger';
import { ENGINE_IDS, type SpeechSettings } from './speech-settings';
import { createLiveEngines, createTranscribers } from './transcribers';

const everything: SpeechSettings = {
  order: ENGINE_IDS,
  deepgram: { url: 'https://deepgram.invalid', apiKey: 'none', model: 'nova-3', timeoutMs: 1_000 },
  openai: null,
  sherpa: { directory: '/nowhere', languages: ['en'], threads: 1 },
};

test('an engine says that it streams exactly where it can be had live', async () => {
  const logger = silentLogger;
  await using transcribers = createTranscribers({ settings: everything, concurrency: 1, logger });
  await using live = createLiveEngines({ settings: everything, logger });
  for (const { info } of await transcribers.list()) {
    expect([info.id, live.engine(info.id) !== undefined]).toEqual([info.id, info.streaming]);
    if (info.streaming) expect(live.engine(info.id)!.info).toEqual({ ...info, pieces: null });
  }
});

test('an engine that this installation does not use is not there live either', async () => {
  const settings = { ...everything, order: ['deepgram'] as const };
  await using live = createLiveEngines({ settings, logger: silentLogger });
  expect(live.engine('pocketsphinx')).toBeUndefined();
});

test('without settings it is PocketSphinx', async () => {
  await using live = createLiveEngines({ logger: silentLogger });
  expect(live.engine('pocketsphinx')?.info.streaming).toBe(true);
});
