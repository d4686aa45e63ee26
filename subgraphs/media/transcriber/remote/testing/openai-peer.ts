import type { RecognizedSegment } from '../../transcriber';
import type { Hear } from './hear';
import { must, Peer, type Answer, type Call } from './peer';
import { readForm, type Form } from './read-form';
import { readWav } from './read-wav';

export const OPENAI_KEY = 'sk-test-4711';

/** Whose way of answering in `verbose_json` the peer follows. */
export type OpenAiDialect = 'openai' | 'faster-whisper' | 'whisper.cpp' | 'segments only';

/** A server with OpenAI's protocol as its reference says it, hearing with `hear`; its language is English. */
export function openOpenAiPeer(hear: Hear, dialect: OpenAiDialect = 'openai'): Promise<Peer> {
  return Peer.open(async (call) => {
    must(/^Bearer \S+$/.test(call.headers.authorization ?? ''), 'the key as a bearer');
    if (call.headers.authorization !== `Bearer ${OPENAI_KEY}`) return { status: 401, json: WRONG_KEY };
    if (call.method === 'GET') return models(call);
    must(call.method === 'POST' && call.url.pathname === '/v1/audio/transcriptions', 'POST /v1/audio/transcriptions');
    must(call.url.search === '', 'no query');
    const form = await readForm(call);
    const wav = checkForm(form);
    return { status: 200, json: answerIn(dialect, await hear(readWav(wav, { streamed: false })), form) };
  });
}

const WRONG_KEY = { error: { message: 'Incorrect API key provided', code: 'invalid_api_key' } };

function models({ url }: Call): Answer {
  must(url.pathname === '/v1/models', 'GET /v1/models');
  return { status: 200, json: { object: 'list', data: [{ id: 'whisper-1', object: 'model' }] } };
}

function checkForm({ fields, files }: Form): Buffer {
  const values = (name: string) => fields.filter(([field]) => field === name).map(([, value]) => value);
  const known = ['model', 'response_format', 'timestamp_granularities[]', 'language', 'prompt'];
  must(
    fields.every(([name]) => known.includes(name)),
    `only the fields ${known.join(', ')}`,
  );
  must(values('model').join() === 'whisper-1', 'one model, whisper-1');
  must(values('response_format').join() === 'verbose_json', 'response_format verbose_json');
  must(
    values('timestamp_granularities[]').every((value) => /^(word|segment)$/.test(value)),
    'word or segment',
  );
  must(
    values('language').every((value) => /^[a-z]{2,3}$/.test(value)),
    'an ISO 639 code of a language',
  );
  must(
    values('prompt').every((value) => value.length <= 224 * 4),
    'a prompt of at most 224 tokens',
  );
  const [file, ...others] = files;
  must(file !== undefined && others.length === 0 && file.name === 'file', 'one file in the field "file"');
  must(file.filename.endsWith('.wav') && file.type === 'audio/wav', 'the name and type of a WAV file');
  must(file.bytes.length <= 25 * 1024 * 1024, 'at most 25 MB');
  return file.bytes;
}

function answerIn(dialect: OpenAiDialect, segments: readonly RecognizedSegment[], { fields }: Form): object {
  const wantsWords = fields.some(([name, value]) => name === 'timestamp_granularities[]' && value === 'word');
  const words = segments.flatMap((segment) => segment.words);
  const base = { task: 'transcribe', duration: (segments.at(-1)?.endMs ?? 0) / 1_000, text: textOf(segments) };
  const plain = segments.map((segment, id) => ({
    ...segmentIn(segment, id),
    avg_logprob: -0.25,
    no_speech_prob: 0.01,
  }));
  switch (dialect) {
    case 'openai':
      return { ...base, language: 'english', segments: plain, ...(wantsWords ? { words: words.map(bareWord) } : {}) };
    case 'faster-whisper':
      return {
        ...base,
        language: 'en',
        segments: plain.map((told, id) => ({ ...told, words: spaced(segments[id]!) })),
      };
    case 'whisper.cpp':
      return {
        ...base,
        language: 'english',
        segments: plain.map((told, id) => ({ ...told, words: tokens(segments[id]!) })),
      };
    case 'segments only':
      return { ...base, language: 'english', segments: plain };
  }
}

function textOf(segments: readonly RecognizedSegment[]): string {
  return segments.map(({ text }) => ` ${text}`).join('');
}

function segmentIn({ text, startMs, endMs }: RecognizedSegment, id: number) {
  return {
    id,
    seek: 0,
    start: startMs / 1_000,
    end: endMs / 1_000,
    text: ` ${text}`,
    tokens: [50_364],
    temperature: 0,
  };
}

/** OpenAI's words have no punctuation and no spaces. */
function bareWord({ text, startMs, endMs }: RecognizedSegment['words'][number]) {
  return { word: text.replace(/[.,?!]/g, ''), start: startMs / 1_000, end: endMs / 1_000 };
}

function spaced({ words }: RecognizedSegment) {
  return words.map(({ text, startMs, endMs, confidence }) => ({
    word: ` ${text}`,
    start: startMs / 1_000,
    end: endMs / 1_000,
    probability: confidence,
  }));
}

/** whisper.cpp gives tokens: long words in two parts, of which the first has the space. */
function tokens({ words }: RecognizedSegment) {
  return words.flatMap(({ text, startMs, endMs, confidence: probability }) => {
    const [start, middle, end] = [startMs / 1_000, (startMs + endMs) / 2_000, endMs / 1_000];
    if (text.length < 6) return [{ word: ` ${text}`, start, end, t_dtw: -1, probability }];
    return [
      { word: ` ${text.slice(0, 3)}`, start, end: middle, t_dtw: -1, probability },
      { word: text.slice(3), start: middle, end, t_dtw: -1, probability },
    ];
  });
}
