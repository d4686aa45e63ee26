import { runInNewContext } from 'node:vm';
import { readRepositoryFile } from '../../platform/root';

type Block = [[Float32Array] | []];
interface Processor {
  process(inputs: Block): boolean;
}

/** Runs the worklet as a browser does, which gives it these globals. */
function load(sampleRate: number): { processor: Processor; posted: ArrayBuffer[] } {
  const posted: ArrayBuffer[] = [];
  let Registered: (new () => Processor) | undefined;
  runInNewContext(readRepositoryFile('client/recipes/live-worklet.js'), {
    sampleRate,
    AudioWorkletProcessor: class {
      port = { postMessage: (message: ArrayBuffer) => posted.push(message) };
    },
    registerProcessor: (_name: string, processor: new () => Processor) => (Registered = processor),
  });
  return { processor: new Registered!(), posted };
}

test('the worklet posts every sample once and in order, 50 ms at a time', () => {
  const { processor, posted } = load(16_000);
  const sound = Float32Array.from({ length: 128 * 25 }, (_, index) => Math.sin(index / 20));
  for (let at = 0; at < sound.length; at += 128) expect(processor.process([[sound.subarray(at, at + 128)]])).toBe(true);
  expect(posted.map(({ byteLength }) => byteLength)).toEqual([1_600, 1_600, 1_600, 1_600]);
  const samples = posted.flatMap((buffer) => [...new Int16Array(buffer)]);
  expect(samples).toEqual([...sound].map((value) => Math.trunc(value * 32_767)));
});

test('what is too loud is cut off, and without a microphone nothing is posted', () => {
  const { processor, posted } = load(8_000);
  for (let block = 0; block < 10; block++) expect(processor.process([[]])).toBe(true);
  expect(posted).toEqual([]);
  for (let block = 0; block < 4; block++)
    processor.process([[Float32Array.from({ length: 128 }, (_, n) => (n % 2 ? 3 : -3))]]);
  expect([...new Int16Array(posted[0]!)].slice(0, 2)).toEqual([-32_767, 32_767]);
});
