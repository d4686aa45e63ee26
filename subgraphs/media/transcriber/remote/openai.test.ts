import { noise, Source } from '../conformance/recordings';
import type { RecognizedSegment, TranscribeOptions } from '../transcriber';
import { createOpenAi } from './openai';
import { openAiInfo, type OpenAiSettings } from './openai-settings';
import { Peer, type Call } from './testing/peer';
import { readForm } from './testing/read-form';

const settings: OpenAiSettings = {
  url: 'http://127.0.0.1:1',
  apiKey: null,
  model: 'large-v3',
  wordTimes: false,
  languages: ['en', 'sw', 'fr'],
  pieces: { idealMs: 60_000, maxMs: 90_000, parallel: 1 },
  timeoutMs: 20_000,
};

/** What a server is asked, field by field, and what is made of its answers. */
async function ask(
  answers: object[],
  options: Partial<TranscribeOptions> = {},
  changed: Partial<OpenAiSettings> = {},
): Promise<{ segments: RecognizedSegment[]; forms: Record<string, string>[]; calls: Call[] }> {
  await using peer = await Peer.open(async () => ({ status: 200, json: answers.shift() }));
  await using engine = createOpenAi({ ...settings, ...changed, url: peer.url });
  const segments: RecognizedSegment[] = [];
  const call = { signal: new AbortController().signal, ...options };
  for await (const segment of engine.transcribe(new Source(noise(2_000, 8_000)), call)) segments.push(segment);
  const forms = await Promise.all(peer.calls.map(async (form) => Object.fromEntries((await readForm(form)).fields)));
  return { segments, forms, calls: peer.calls };
}

const habari = { language: 'swahili', segments: [{ text: ' Habari yako.', start: 0.2, end: 1.2, avg_logprob: -0.1 }] };

test('without a key it sends none; the language detected is the language of the segment', async () => {
  const { segments, forms, calls } = await ask([habari]);
  expect(calls[0]!.headers.authorization).toBeUndefined();
  expect(forms).toEqual([
    { model: 'large-v3', response_format: 'verbose_json', 'timestamp_granularities[]': 'segment' },
  ]);
  expect(segments).toMatchObject([
    { text: 'Habari yako.', language: 'sw', startMs: 200, endMs: 1_200, confidence: 0.905 },
  ]);
});

test('a language outside of those that may be spoken is recognized again as the first of them', async () => {
  const bonjour = { language: 'french', segments: [{ text: 'Bonjour.', start: 0, end: 1, avg_logprob: -0.5 }] };
  const { segments, forms } = await ask([habari, bonjour], { languages: ['fr-FR', 'en'] });
  expect(forms.map(({ language }) => language)).toEqual([undefined, 'fr']);
  expect(segments).toMatchObject([{ text: 'Bonjour.', language: 'fr-FR' }]);
});

test('a detected language among them is kept', async () => {
  const { segments, forms } = await ask([habari], { languages: ['fr', 'sw-KE'] });
  expect(forms).toHaveLength(1);
  expect(segments).toMatchObject([{ language: 'sw' }]);
});

test('keyterms become a prompt; what has no room in it is left out whole', async () => {
  const keyterms = ['Kisumu', 'x'.repeat(695), 'Women of Zambezia'];
  const { forms } = await ask([habari], { vocabulary: { keyterms } });
  expect(forms[0]!.prompt).toBe('Kisumu, Women of Zambezia');
});

test('an answer without words is refused where times of words were promised, with what to set', async () => {
  await expect(ask([habari], {}, { wordTimes: true })).rejects.toMatchObject({
    code: 'ENGINE_FAILED',
    retryable: false,
    message: expect.stringContaining('OPENAI_SPEECH_WORD_TIMES=false'),
  });
});

test('words that Whisper makes up in silence are left out, by its own rule', async () => {
  const invented = { text: ' Thank you.', start: 0, end: 1, avg_logprob: -1.4, no_speech_prob: 0.9 };
  const { segments } = await ask([{ language: 'en', segments: [invented, ...habari.segments] }]);
  expect(segments.map(({ text, index }) => [text, index])).toEqual([['Habari yako.', 0]]);
});

test('a segment that lies behind the audio is moved into it', async () => {
  const { segments } = await ask([{ language: 'en', segments: [{ text: 'Yes.', start: 1.5, end: 30 }] }], {
    startMs: 500,
  });
  expect(segments).toMatchObject([{ startMs: 2_000, endMs: 2_500, confidence: null }]);
});

test('a server that tells only the text gives one segment', async () => {
  const { segments } = await ask([{ text: 'Good morning.' }], { language: 'en-GB' });
  expect(segments).toMatchObject([{ text: 'Good morning.', language: 'en-GB', startMs: 0, endMs: 2_000 }]);
});

test('audio stays on this machine only when the server is on it', () => {
  const isLocal = (url: string) => openAiInfo({ ...settings, url }).local;
  expect(['http://localhost:8000', 'http://127.0.0.1/v1', 'http://[::1]:9000'].map(isLocal)).toEqual([
    true,
    true,
    true,
  ]);
  expect(['https://api.openai.com', 'http://10.0.0.1', 'http://localhost.example'].map(isLocal)).toEqual([
    false,
    false,
    false,
  ]);
});
