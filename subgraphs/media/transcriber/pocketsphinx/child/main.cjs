'use strict';
/**
 * The process in which PocketSphinx decodes: its C functions block for up to half a second, and what breaks them must not
 * break a worker. Plain JavaScript because it is read from the repository in every mode. Answers every request of
 * `decoder-process.ts` with one reply; ends when its parent does.
 *
 * @typedef {{ type: 'open', modelDirectory: string, libraries: { sphinxbase: string, pocketsphinx: string }, for: 'recognition' | 'live' | 'alignment' | 'probe' }} Open
 * @typedef {Open | { type: 'tuneIn', pcm: Int16Array } | { type: 'use', vocabulary: import('./decoder.cjs').Vocabulary | null } | { type: 'expect', vocabulary: import('./decoder.cjs').Vocabulary } | { type: 'unknown', words: string[] } | { type: 'sound' } | { type: 'useSound', sound: import('./decoder.cjs').Sound | null } | { type: 'begin' } | { type: 'feed' | 'hear', pcm: Int16Array } | { type: 'finish' }} Request
 */
const { Decoder } = require('./decoder.cjs');
const { loadNative } = require('./native.cjs');

/** @type {Decoder | undefined} */
let decoder;

/** @returns {{ unavailable: string, detail: string } | null} which part cannot be loaded, and why */
function open(/** @type {Open} */ request) {
  let native;
  try {
    native = loadNative(request.libraries);
  } catch (error) {
    if (!error?.part) throw error;
    return { unavailable: error.part, detail: error.message };
  }
  if (request.for === 'probe') return null;
  const { modelDirectory } = request;
  try {
    decoder = new Decoder(native, { modelDirectory, withModel: request.for !== 'alignment' });
  } catch (error) {
    return { unavailable: 'the model', detail: String(error?.message ?? error) };
  }
  return null;
}

function answer(/** @type {Request} */ request) {
  if (request.type === 'open') return open(request);
  if (request.type === 'tuneIn') return decoder.tuneIn(request.pcm);
  if (request.type === 'use') return decoder.use(request.vocabulary);
  if (request.type === 'expect') return decoder.expect(request.vocabulary);
  if (request.type === 'unknown') return decoder.unknown(request.words);
  if (request.type === 'sound') return decoder.sound();
  if (request.type === 'useSound') return decoder.useSound(request.sound);
  if (request.type === 'begin') return decoder.begin();
  if (request.type === 'feed') return decoder.feed(request.pcm);
  if (request.type === 'hear') return decoder.hear(request.pcm);
  return decoder.finish();
}

process.on('disconnect', () => process.exit());
process.on('message', (request) => {
  try {
    process.send({ value: answer(request) });
  } catch (error) {
    process.send({ failed: String(error?.message ?? error) });
  }
});
