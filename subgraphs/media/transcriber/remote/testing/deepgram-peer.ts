import type { RecognizedSegment } from '../../transcriber';
import type { Hear } from './hear';
import { must, Peer, type Answer, type Call } from './peer';
import { readWav } from './read-wav';

export const DEEPGRAM_KEY = 'dg-test-4711';

const PARAMETERS = ['model', 'punctuate', 'utterances', 'diarize', 'language', 'detect_language', 'keyterm'];

/** Deepgram's batch protocol as its reference says it, hearing with `hear`; two speakers take turns. */
export function openDeepgramPeer(hear: Hear): Promise<Peer> {
  return Peer.open(async (call) => {
    must(/^Token \S+$/.test(call.headers.authorization ?? ''), 'the key as a token');
    if (call.headers.authorization !== `Token ${DEEPGRAM_KEY}`) return { status: 401, json: WRONG_KEY };
    if (call.method === 'GET') return keyDetails(call);
    must(call.method === 'POST' && call.url.pathname === '/v1/listen', 'POST /v1/listen');
    must(call.headers['content-type'] === 'audio/wav', 'the type of a WAV file');
    must(call.headers['transfer-encoding'] === 'chunked', 'a stream');
    checkQuery(call.url.searchParams);
    const pcm = readWav(call.body, { streamed: true });
    return { status: 200, json: answerTo(call.url.searchParams, await hear(pcm), pcm.length / 16_000) };
  });
}

const WRONG_KEY = { err_code: 'INVALID_AUTH', err_msg: 'Invalid credentials.' };

function keyDetails({ url }: Call): Answer {
  must(url.pathname === '/v1/auth/token', 'GET /v1/auth/token');
  return { status: 200, json: { api_key_id: 'test', scopes: ['usage:write'] } };
}

function checkQuery(query: URLSearchParams): void {
  must(
    [...query.keys()].every((name) => PARAMETERS.includes(name)),
    `only the parameters ${PARAMETERS.join(', ')}`,
  );
  must(query.getAll('model').join() === 'nova-3', 'one model, nova-3');
  must(query.get('utterances') === 'true' && query.get('punctuate') === 'true', 'utterances and punctuation');
  must(query.has('language') !== query.has('detect_language'), 'a language or its detection');
  must(query.getAll('language').length <= 1, 'one language');
  must(query.getAll('keyterm').length <= 100, 'at most 100 keyterms');
}

function answerTo(query: URLSearchParams, segments: readonly RecognizedSegment[], duration: number): object {
  const utterances = segments.map((segment, index) => utterance(segment, query.has('diarize') ? index % 2 : null));
  const detected = query.has('detect_language') ? { detected_language: 'en', language_confidence: 0.98 } : {};
  const alternative = {
    transcript: segments.map(({ text }) => text).join(' '),
    confidence: 0.9,
    words: utterances.flatMap(({ words }) => words),
  };
  return {
    metadata: { request_id: 'test', channels: 1, duration },
    results: { channels: [{ alternatives: [alternative], ...detected }], utterances },
  };
}

function utterance({ text, startMs, endMs, confidence, words }: RecognizedSegment, speaker: number | null) {
  const by = speaker === null ? {} : { speaker, speaker_confidence: 0.8 };
  return {
    start: startMs / 1_000,
    end: endMs / 1_000,
    confidence,
    channel: 0,
    transcript: text,
    id: `utterance-${startMs}`,
    words: words.map((word) => ({
      word: word.text.toLowerCase().replace(/[.,?!]/g, ''),
      punctuated_word: word.text,
      start: word.startMs / 1_000,
      end: word.endMs / 1_000,
      confidence: word.confidence,
      ...by,
    })),
    ...(speaker === null ? {} : { speaker }),
  };
}
