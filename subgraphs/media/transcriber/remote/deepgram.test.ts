import { noise, Source } from '../conformance/recordings';
import type { RecognizedSegment, TranscribeOptions } from '../transcriber';
import { createDeepgram } from './deepgram';
import { Peer } from './testing/peer';

/** One word each, from `start` for `seconds`, by a speaker. */
function utterances(...said: [word: string, start: number, seconds: number, speaker: number][]) {
  return said.map(([word, start, seconds, speaker]) => ({
    start,
    end: start + seconds,
    transcript: word,
    confidence: 0.9,
    speaker,
    words: [{ word, punctuated_word: `${word}.`, start, end: start + seconds, confidence: 0.9, speaker }],
  }));
}

async function ask(said: object[], options: Partial<TranscribeOptions> = {}, channel: object = {}) {
  const json = { results: { channels: [channel], utterances: said } };
  await using peer = await Peer.open(async () => ({ status: 200, json }));
  await using engine = createDeepgram({ url: peer.url, apiKey: 'key', model: 'nova-3', timeoutMs: 20_000 });
  const segments: RecognizedSegment[] = [];
  const call = { signal: new AbortController().signal, ...options };
  for await (const segment of engine.transcribe(new Source(noise(4_000, 8_000)), call)) segments.push(segment);
  return { segments, query: peer.calls[0]!.url.searchParams };
}

test('detects any language, or one of those that may be spoken, and says how sure it is', async () => {
  const detected = { detected_language: 'sw', language_confidence: 0.71234 };
  const any = await ask(utterances(['habari', 0, 1, 0]), {}, detected);
  expect(any.query.getAll('detect_language')).toEqual(['true']);
  expect(any.segments).toMatchObject([{ text: 'habari.', language: 'sw', languageConfidence: 0.712 }]);
  const some = await ask([], { languages: ['en-GB', 'fr-CM'] });
  expect(some.query.getAll('detect_language')).toEqual(['en-GB', 'fr']);
});

test('is told the language, in a form that it knows', async () => {
  const { query, segments } = await ask(utterances(['hello', 0, 1, 0]), { language: 'en-KE' });
  expect(query.get('language')).toBe('en');
  expect(query.has('detect_language')).toBe(false);
  expect(segments).toMatchObject([{ language: 'en-KE' }]);
  expect(segments[0]).not.toHaveProperty('languageConfidence');
});

test('is told each keyterm by itself', async () => {
  const keyterms = ['Kisumu', 'women & men of Zambezia'];
  expect((await ask([], { vocabulary: { keyterms } })).query.getAll('keyterm')).toEqual(keyterms);
});

test('speakers are named when asked for, and only then', async () => {
  const said = utterances(['one', 0, 1, 0], ['two', 1, 1, 1]);
  const without = await ask(said);
  expect(without.query.has('diarize')).toBe(false);
  expect(without.segments.map(({ speaker }) => speaker)).toEqual([undefined, undefined]);
  const asked = await ask(said, { speakers: {} });
  expect(asked.query.get('diarize')).toBe('true');
  expect(asked.segments.map(({ speaker, words }) => [speaker, words[0]!.speaker])).toEqual([
    ['S1', 'S1'],
    ['S2', 'S2'],
  ]);
});

test('of more speakers than there are at most, those who say least are nobody', async () => {
  const said = utterances(['a', 0, 0.2, 0], ['b', 0.5, 1, 1], ['c', 2, 0.8, 2], ['d', 3, 0.9, 1]);
  const { segments } = await ask(said, { speakers: { max: 2 } });
  expect(segments.map(({ speaker }) => speaker)).toEqual([undefined, 'S2', 'S3', 'S2']);
});

test('utterances that come in another order are put in order', async () => {
  const { segments } = await ask(utterances(['late', 2, 1, 0], ['early', 0, 1, 0]), { startMs: 1_000 });
  expect(segments.map(({ index, text, startMs }) => [index, text, startMs])).toEqual([
    [0, 'early.', 1_000],
    [1, 'late.', 3_000],
  ]);
});
