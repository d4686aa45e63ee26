'use strict';
/**
 * The thread in which PocketSphinx decodes: its C functions block for up to half a second. Plain JavaScript because a
 * worker thread loads files without our compilers. It answers every request of `pocketsphinx-thread.ts` with one reply.
 *
 * @typedef {{ modelDirectory: string, libraries: { sphinxbase: string, pocketsphinx: string }, probeOnly: boolean }} WorkerData
 * @typedef {{ type: 'reset' } | { type: 'begin' } | { type: 'feed', pcm: Int16Array } | { type: 'finish' } | { type: 'close' }} Request
 * @typedef {{ text: string, startFrame: number, endFrame: number, confidence: number }} HeardWord  frames of 10 ms
 */
const path = require('node:path');
const { parentPort, workerData } = require('node:worker_threads');

const { modelDirectory, libraries, probeOnly } = /** @type {WorkerData} */ (workerData);

/** Runs a step of the start; a failure is reported in words instead of ending the thread with a stack. */
function attempt(part, run) {
  try {
    return run();
  } catch (error) {
    parentPort.postMessage({
      type: 'unavailable',
      part,
      detail: error instanceof Error ? error.message : String(error),
    });
    return null;
  }
}

function bindFunctions() {
  const koffi = attempt('koffi', () => require('koffi'));
  // PocketSphinx needs sphinxbase's symbols too; loading by soname finds them on every architecture.
  const base = koffi && attempt(libraries.sphinxbase, () => koffi.load(libraries.sphinxbase));
  const sphinx = base && attempt(libraries.pocketsphinx, () => koffi.load(libraries.pocketsphinx));
  if (!sphinx) return null;
  return attempt('the functions of PocketSphinx', () => ({
    parseConfig: base.func('void* cmd_ln_parse_r(void*, void*, int, const char**, int)'),
    freeConfig: base.func('int cmd_ln_free_r(void*)'),
    fromLog: base.func('double logmath_exp(void*, int)'),
    options: sphinx.func('void* ps_args()'),
    init: sphinx.func('void* ps_init(void*)'),
    reinit: sphinx.func('int ps_reinit(void*, void*)'),
    free: sphinx.func('int ps_free(void*)'),
    startStream: sphinx.func('int ps_start_stream(void*)'),
    startUtterance: sphinx.func('int ps_start_utt(void*)'),
    endUtterance: sphinx.func('int ps_end_utt(void*)'),
    processRaw: sphinx.func('int ps_process_raw(void*, int16_t*, size_t, int, int)'),
    logMath: sphinx.func('void* ps_get_logmath(void*)'),
    segments: sphinx.func('void* ps_seg_iter(void*)'),
    nextSegment: sphinx.func('void* ps_seg_next(void*)'),
    segmentWord: sphinx.func('const char* ps_seg_word(void*)'),
    segmentFrames: sphinx.func('void ps_seg_frames(void*, _Out_ int*, _Out_ int*)'),
    segmentProbability: sphinx.func('int32_t ps_seg_prob(void*, void*, void*, void*)'),
  }));
}

function openDecoder(native) {
  const options = Object.entries({
    '-hmm': path.join(modelDirectory, 'en-us'),
    '-dict': path.join(modelDirectory, 'cmudict-en-us.dict'),
    '-lm': path.join(modelDirectory, 'en-us.lm.bin'),
    '-logfn': '/dev/null',
    // Our own voice detector cuts the audio. PocketSphinx's would drop frames and shift every word time.
    '-remove_silence': 'no',
  }).flat();
  const config = native.parseConfig(null, native.options(), options.length, options, 1);
  const decoder = config && native.init(config);
  if (!decoder) throw new Error(`PocketSphinx refuses the model in ${modelDirectory}.`);
  return { native, config, decoder, isFresh: true };
}

/**
 * Forgets the last recording: the running cepstral mean would otherwise carry one speaker's sound into the next text.
 * Also drops the utterance that an aborted call left open.
 */
function reset(state) {
  if (!state.isFresh) check('ps_reinit', state.native.reinit(state.decoder, null));
  state.isFresh = true;
}

/** Frame numbers count from ps_start_stream, so calling it before each utterance makes word times exact. */
function begin(state) {
  check('ps_start_stream', state.native.startStream(state.decoder));
  check('ps_start_utt', state.native.startUtterance(state.decoder));
  state.isFresh = false;
}

function feed(state, pcm) {
  check('ps_process_raw', state.native.processRaw(state.decoder, pcm, pcm.length, 0, 0));
}

/** @returns {HeardWord[]} everything PocketSphinx reports, fillers included; probabilities exist only after the end */
function finish(state) {
  const { native, decoder } = state;
  check('ps_end_utt', native.endUtterance(decoder));
  const logMath = native.logMath(decoder);
  const words = [];
  for (let segment = native.segments(decoder); segment; segment = native.nextSegment(segment)) {
    const startFrame = [0];
    const endFrame = [0];
    native.segmentFrames(segment, startFrame, endFrame);
    const confidence = native.fromLog(logMath, native.segmentProbability(segment, null, null, null));
    words.push({
      text: native.segmentWord(segment) ?? '',
      startFrame: startFrame[0],
      endFrame: endFrame[0] + 1,
      confidence,
    });
  }
  return words;
}

function close(state) {
  state.native.free(state.decoder);
  state.native.freeConfig(state.config);
  parentPort.close();
}

function check(call, result) {
  if (result < 0) throw new Error(`${call} failed (${result}).`);
}

function answer(state, /** @type {Request} */ request) {
  if (request.type === 'reset') return void reset(state);
  if (request.type === 'begin') return void begin(state);
  if (request.type === 'feed') return void feed(state, request.pcm);
  if (request.type === 'finish') return finish(state);
  return void close(state);
}

const native = bindFunctions();
const state = native && !probeOnly ? attempt('model', () => openDecoder(native)) : null;
if (native && (state || probeOnly)) parentPort.postMessage({ type: 'ready' });
if (state) {
  parentPort.on('message', (request) => {
    try {
      parentPort.postMessage({ type: 'done', value: answer(state, request) });
    } catch (error) {
      parentPort.postMessage({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
    }
  });
}
