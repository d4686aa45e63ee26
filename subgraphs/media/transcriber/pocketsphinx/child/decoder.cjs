'use strict';
/**
 * One decoder of PocketSphinx and what it is asked to do.
 *
 * @typedef {{ text: string, startFrame: number, endFrame: number, confidence: number | null }} HeardWord  frames of 10 ms
 * @typedef {{ mean: number[], frames: number }} Sound  the running cepstral mean, and of how many frames it is
 * @typedef {{ added: [word: string, phones: string][], model?: string, graph?: string }} Vocabulary
 */
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { MEAN_LENGTH } = require('./native.cjs');

/** What PocketSphinx is given at a time. Its estimates depend a little on it, so it is always the same. */
const FEED_SAMPLES = 1_600;
/**
 * The same for who listens while people speak. Measured over 360 words: with 800 samples a word is known 70 ms (p50) and
 * 150 ms (p90) after it ends, with 1,600 it is 90 and 260 ms, for a tenth less CPU and as many errors.
 */
const LIVE_SAMPLES = 800;
/** Our names for the search with the general language model, and for the one a vocabulary asks for. */
const GENERAL = 'general';
const SPECIAL = 'vocabulary';
/** Of language models: let sphinxbase find out which. */
const ANY_FORMAT = 0;
const ARPA_FORMAT = 1;
/** Share of the vocabulary's own model in the mixture. Half was measured as best: alone it loses every other word. */
const OWN_WEIGHT = 0.5;
/** PocketSphinx's -lw: how much a graph's probabilities count against the sound. */
const LANGUAGE_WEIGHT = 6.5;

class Decoder {
  /** With `withModel` it recognizes anything, without it only a grammar. */
  constructor(native, { modelDirectory, withModel }) {
    const options = Object.entries({
      '-hmm': path.join(modelDirectory, 'en-us'),
      '-dict': path.join(modelDirectory, 'cmudict-en-us.dict'),
      '-logfn': '/dev/null',
      // Our own voice detector cuts the audio. PocketSphinx's would drop frames and shift every word time.
      '-remove_silence': 'no',
    }).flat();
    this.native = native;
    this.config = native.parseConfig(null, native.options(), options.length, options, 1);
    this.decoder = this.config && native.init(this.config);
    if (!this.decoder) throw new Error(`PocketSphinx refuses the model in ${modelDirectory}.`);
    this.frontEnd = native.openFrontEnd(this.config);
    this.firstMean = this.#mean();
    this.isAltered = false;
    this.isListening = false;
    this.general = withModel ? this.#readModel(path.join(modelDirectory, 'en-us.lm.bin'), ANY_FORMAT) : null;
    this.#useGeneral();
  }

  /**
   * Makes the decoder hear as if it had heard nothing before but the sound of this voice: its running cepstral mean
   * carries the sound of one recording into the text of the next, and without any it adapts only after the first
   * utterance, which is then heard badly. Only ps_reinit forgets too, for 0.3 s of CPU.
   */
  tuneIn(/** @type {Int16Array} */ pcm) {
    this.#drop(); // its end would change the mean
    const mean = this.#meanOf(pcm) ?? this.firstMean;
    this.native.setMean(this.#running(), mean);
  }

  /** What the next utterance depends on of those before. */
  sound() {
    return { mean: [...this.#mean()], frames: this.native.countOf(this.#running()) };
  }

  /** Makes the decoder hear as one that had this sound; null: as one that has heard nothing yet. */
  useSound(/** @type {Sound | null} */ sound) {
    this.#drop();
    const { mean, frames } = sound ?? { mean: [...this.firstMean], frames: 0 };
    const running = this.#running();
    this.native.setMean(running, Float32Array.from(mean));
    this.native.setSum(
      running,
      Float32Array.from(mean, (value) => value * frames),
      frames,
    );
  }

  /** Takes away what an earlier vocabulary has added, words in the dictionary included, then adds this one. */
  use(/** @type {Vocabulary | null} */ vocabulary) {
    this.#drop();
    if (this.isAltered) check('ps_reinit', this.native.reinit(this.decoder, null));
    else if (this.general) check('ps_unset_search', this.native.unsetSearch(this.decoder, GENERAL));
    this.isAltered = true; // until all has gone well
    if (vocabulary != null) return this.expect(vocabulary);
    this.#useGeneral();
    this.isAltered = false;
  }

  /**
   * Like `use`, but words that were added before stay in the dictionary: for a graph they are out of reach. There must be
   * no search with the general model: ps_add_word would add to that too, whose memory then ends in what is no n-gram
   * (it crashed as soon as such a word was heard).
   */
  expect(/** @type {Vocabulary} */ { added, model, graph }) {
    this.#drop();
    for (const [word, phones] of added) {
      check(`ps_add_word(${word})`, this.native.addWord(this.decoder, word, phones, 0));
    }
    if (model != null) this.#mixIn(model);
    if (graph != null) this.#follow(graph);
  }

  /** @returns {string[]} the words the dictionary lacks */
  unknown(/** @type {string[]} */ words) {
    return words.filter((word) => this.native.lookUp(this.decoder, word) == null);
  }

  /** Frame numbers count from ps_start_stream, so calling it before each utterance makes word times exact. */
  begin() {
    this.#drop();
    check('ps_start_stream', this.native.startStream(this.decoder));
    check('ps_start_utt', this.native.startUtterance(this.decoder));
    this.isListening = true;
  }

  feed(/** @type {Int16Array} */ pcm, samples = FEED_SAMPLES) {
    for (let from = 0; from < pcm.length; from += samples) {
      const part = pcm.subarray(from, from + samples);
      check('ps_process_raw', this.native.processRaw(this.decoder, part, part.length, 0, 0));
    }
  }

  /** Feeds what is heard live. @returns {HeardWord[]} the best guess so far, fillers included */
  hear(/** @type {Int16Array} */ pcm) {
    this.feed(pcm, LIVE_SAMPLES);
    return this.#words();
  }

  /** @returns {HeardWord[]} everything PocketSphinx reports, fillers included */
  finish() {
    this.#drop();
    return this.#words();
  }

  /** Probabilities exist only after the end. */
  #words() {
    const { native, decoder } = this;
    const logMath = native.logMath(decoder);
    const words = [];
    for (let segment = native.segments(decoder); segment; segment = native.nextSegment(segment)) {
      const startFrame = [0];
      const endFrame = [0];
      native.segmentFrames(segment, startFrame, endFrame);
      const confidence = this.isListening
        ? null
        : native.fromLog(logMath, native.segmentProbability(segment, null, null, null));
      const text = native.segmentWord(segment) ?? '';
      words.push({ text, startFrame: startFrame[0], endFrame: endFrame[0] + 1, confidence });
    }
    return words;
  }

  /** Ends the utterance under way, also one that an aborted call has left. */
  #drop() {
    if (this.isListening) check('ps_end_utt', this.native.endUtterance(this.decoder));
    this.isListening = false;
  }

  #running() {
    return this.native.meanOf(this.native.features(this.decoder));
  }

  #mean() {
    const mean = new Float32Array(MEAN_LENGTH);
    this.native.getMean(this.#running(), mean);
    return mean;
  }

  /** The mean of the audio's cepstral vectors; those of no energy say nothing. Null when there is no other. */
  #meanOf(pcm) {
    const { native } = this;
    native.startFrontEndStream(this.frontEnd);
    check('fe_start_utt', native.startFrontEnd(this.frontEnd));
    const rows = [null];
    const count = [0];
    check('fe_process_utt', native.analyze(this.frontEnd, pcm, pcm.length, rows, count));
    if (!rows[0]) return null;
    const all = count[0] > 0 ? native.toFrames(rows[0], count[0]) : []; // none of less than a frame
    const frames = all.filter((frame) => frame[0] >= 0);
    native.freeFrames(rows[0]);
    if (frames.length === 0) return null;
    return Float32Array.from(
      { length: MEAN_LENGTH },
      (_, n) => frames.reduce((sum, frame) => sum + frame[n], 0) / frames.length,
    );
  }

  #useGeneral() {
    if (!this.general) return;
    check('ps_set_lm', this.native.setLanguageModel(this.decoder, GENERAL, this.general));
    check('ps_set_search', this.native.useSearch(this.decoder, GENERAL));
  }

  /** Half the general language model, half the given one. */
  #mixIn(/** @type {string} */ arpa) {
    const { native } = this;
    const own = inFile(arpa, (file) => this.#readModel(file, ARPA_FORMAT));
    const names = ['general', 'own'];
    const weights = [1 - OWN_WEIGHT, OWN_WEIGHT];
    const mixture = native.joinModels(this.config, [this.general, own], names, weights, names.length);
    native.freeModel(own); // the mixture holds it now
    if (!mixture) throw new Error('ngram_model_set_init failed.');
    native.interpolate(mixture, names, weights);
    const result = native.setLanguageModel(this.decoder, SPECIAL, mixture);
    native.freeModel(mixture); // the search holds it now
    check('ps_set_lm', result);
    check('ps_set_search', native.useSearch(this.decoder, SPECIAL));
  }

  #readModel(file, format) {
    const model = this.native.readModel(this.config, file, format, this.native.logMath(this.decoder));
    if (!model) throw new Error(`ngram_model_read refuses ${file}.`);
    return model;
  }

  #follow(/** @type {string} */ text) {
    const { native } = this;
    const logMath = native.logMath(this.decoder);
    const graph = inFile(text, (file) => native.readGraph(file, logMath, LANGUAGE_WEIGHT));
    if (!graph) throw new Error('fsg_model_readfile refuses the graph of the grammar.');
    const result = native.setGraph(this.decoder, SPECIAL, graph);
    native.freeGraph(graph); // the search holds it now
    check('ps_set_fsg', result);
    check('ps_set_search', native.useSearch(this.decoder, SPECIAL));
  }
}

/** PocketSphinx reads models from files only. */
function inFile(text, read) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sauti-vocabulary-'));
  try {
    const file = path.join(folder, 'vocabulary');
    writeFileSync(file, text);
    return read(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function check(call, result) {
  if (result < 0) throw new Error(`${call} failed (${result}).`);
}

module.exports = { Decoder };
