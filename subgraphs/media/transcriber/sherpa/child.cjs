'use strict';
/**
 * The process in which sherpa-onnx recognizes. Plain JavaScript because a forked process loads files without our compilers.
 * It answers every request of `sherpa-process.ts` with one reply, in order.
 *
 * @typedef {{ recognizer: object, vad: object | null, punctuation: object | null, diarization: object | null }} Models
 */
const SAMPLE_RATE_HZ = 16_000;
const MS_PER_SAMPLE = 1_000 / SAMPLE_RATE_HZ;
/** Seconds of audio that the voice detector holds; more than its longest utterance. */
const VAD_BUFFER_SECONDS = 60;

let sherpa;
let recognizer;
let vad;
let punctuation;
let diarization;
/** @type {Float32Array[]} what is kept to tell speakers apart */
let kept = [];

const handlers = {
  /** @param {{ models: Models }} request */
  open({ models }) {
    try {
      sherpa = require('sherpa-onnx-node');
    } catch (error) {
      return { unavailable: 'library', detail: String(error && error.message).split('\n')[0] };
    }
    try {
      recognizer = new sherpa.OfflineRecognizer(models.recognizer);
      vad = models.vad && new sherpa.Vad(models.vad, VAD_BUFFER_SECONDS);
      punctuation = models.punctuation && new sherpa.OfflinePunctuation(models.punctuation);
      diarization = models.diarization && new sherpa.OfflineSpeakerDiarization(models.diarization);
    } catch (error) {
      return { unavailable: 'model', detail: String(error && error.message) };
    }
    return null;
  },
  /** Another language for what follows. Whisper takes it at once; others are loaded anew. */
  configure({ recognizer: config }) {
    if (config.modelConfig.whisper) recognizer.setConfig(config);
    else recognizer = new sherpa.OfflineRecognizer(config);
    return null;
  },
  /** Forgets a recording that was under way. */
  forget() {
    kept = [];
    if (vad) vad.reset();
    return null;
  },
  /** Gives the utterances that have ended; `isEnd` ends the one under way. */
  find({ pcm, isEnd }) {
    vad.acceptWaveform(asFloats(pcm));
    if (isEnd) vad.flush();
    const found = [];
    for (; !vad.isEmpty(); vad.pop()) {
      const { start, samples: speech } = vad.front(false);
      found.push({ startMs: start * MS_PER_SAMPLE, samples: speech });
    }
    return found;
  },
  async decode({ samples }) {
    const stream = recognizer.createStream();
    stream.acceptWaveform({
      sampleRate: SAMPLE_RATE_HZ,
      samples: samples instanceof Int16Array ? asFloats(samples) : samples,
    });
    const result = await recognizer.decodeAsync(stream);
    const text = result.text.trim();
    return { ...result, text: punctuation && text !== '' ? punctuation.addPunct(text) : text };
  },
  keep({ pcm }) {
    kept.push(asFloats(pcm));
    return null;
  },
  /** Who speaks when in what was kept: at most `max` speakers. */
  diarize({ max, clustering }) {
    const samples = join(kept);
    kept = [];
    diarization.setConfig({ clustering });
    const turns = diarization.process(samples);
    const speakers = new Set(turns.map(({ speaker }) => speaker)).size;
    if (max == null || speakers <= max) return turns;
    diarization.setConfig({ clustering: { ...clustering, numClusters: max } });
    return diarization.process(samples);
  },
};

function asFloats(pcm) {
  return Float32Array.from(pcm, (sample) => sample / 32_768);
}

function join(parts) {
  const whole = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

async function answer({ type, ...request }) {
  try {
    return { value: await handlers[type](request) };
  } catch (error) {
    return { failed: String((error && error.message) || error) };
  }
}

// Requests come one at a time: the other side waits for each reply.
process.on('message', async (request) => process.send(await answer(request)));
// Our worker is gone. Native threads may be at work, so no orderly end.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
