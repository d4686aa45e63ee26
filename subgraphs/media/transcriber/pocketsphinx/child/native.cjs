'use strict';
/** The C functions of PocketSphinx and sphinxbase, by the declarations of Debian's 0.8+5prealpha (sonames .so.3). */

/** Where `feat_t` of sphinxbase/feat.h keeps its running cepstral mean on a machine with pointers of 64 bits. */
const OFFSET_OF_MEAN = 88;
const MEAN_LENGTH = 13;
/** In `cmn_t` of sphinxbase/cmn.h, behind the pointers to mean and variance: the sum, and of how many frames it is. */
const OFFSET_OF_SUM = 16;
const OFFSET_OF_COUNT = 24;

/**
 * Loads the libraries; by soname they are found on every architecture. Throws an error whose `part` names what is missing.
 *
 * @param {{ sphinxbase: string, pocketsphinx: string }} libraries
 */
function loadNative(libraries) {
  const koffi = naming('koffi', () => require('koffi'));
  // PocketSphinx needs sphinxbase's symbols too.
  const base = naming(libraries.sphinxbase, () => koffi.load(libraries.sphinxbase));
  const sphinx = naming(libraries.pocketsphinx, () => koffi.load(libraries.pocketsphinx));
  return naming('the functions of PocketSphinx', () => ({
    ...functionsOfBase(base),
    ...functionsOfSphinx(sphinx),
    meanOf: (features) => koffi.decode(features, OFFSET_OF_MEAN, 'void*'),
    countOf: (running) => koffi.decode(running, OFFSET_OF_COUNT, 'int'),
    setSum: (running, sum, count) => {
      koffi.encode(koffi.decode(running, OFFSET_OF_SUM, 'void*'), koffi.array('float', MEAN_LENGTH), sum);
      koffi.encode(running, OFFSET_OF_COUNT, 'int', count);
    },
    toFrames: (rows, count) =>
      koffi
        .decode(rows, koffi.array('void*', count))
        .map((row) => koffi.decode(row, koffi.array('float', MEAN_LENGTH))),
  }));
}

function functionsOfBase(base) {
  return {
    parseConfig: base.func('void* cmd_ln_parse_r(void*, void*, int, const char**, int)'),
    openFrontEnd: base.func('void* fe_init_auto_r(void*)'),
    startFrontEndStream: base.func('void fe_start_stream(void*)'),
    startFrontEnd: base.func('int fe_start_utt(void*)'),
    analyze: base.func('int fe_process_utt(void*, int16_t*, size_t, _Out_ void**, _Out_ int32_t*)'),
    freeFrames: base.func('void fe_free_2d(void*)'),
    fromLog: base.func('double logmath_exp(void*, int)'),
    getMean: base.func('void cmn_live_get(void*, _Out_ float*)'),
    setMean: base.func('void cmn_live_set(void*, float*)'),
    readModel: base.func('void* ngram_model_read(void*, const char*, int, void*)'),
    readGraph: base.func('void* fsg_model_readfile(const char*, void*, float)'),
    freeGraph: base.func('int fsg_model_free(void*)'),
    freeModel: base.func('int ngram_model_free(void*)'),
    joinModels: base.func('void* ngram_model_set_init(void*, void**, const char**, const float*, int)'),
    interpolate: base.func('void* ngram_model_set_interp(void*, const char**, const float*)'),
  };
}

function functionsOfSphinx(sphinx) {
  return {
    options: sphinx.func('void* ps_args()'),
    init: sphinx.func('void* ps_init(void*)'),
    reinit: sphinx.func('int ps_reinit(void*, void*)'),
    features: sphinx.func('void* ps_get_feat(void*)'),
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
    lookUp: sphinx.func('const char* ps_lookup_word(void*, const char*)'),
    addWord: sphinx.func('int ps_add_word(void*, const char*, const char*, int)'),
    setLanguageModel: sphinx.func('int ps_set_lm(void*, const char*, void*)'),
    setGraph: sphinx.func('int ps_set_fsg(void*, const char*, void*)'),
    unsetSearch: sphinx.func('int ps_unset_search(void*, const char*)'),
    useSearch: sphinx.func('int ps_set_search(void*, const char*)'),
  };
}

function naming(part, load) {
  try {
    return load();
  } catch (error) {
    throw Object.assign(new Error(error instanceof Error ? error.message : String(error)), { part });
  }
}

module.exports = { loadNative, MEAN_LENGTH };
