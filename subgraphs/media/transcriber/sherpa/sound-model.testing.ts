import { writeFileSync } from 'node:fs';
import path from 'node:path';

/** Words of the sound model, by what it hears: nothing, or sound. */
const TOKENS = ['<blk>', '▁hello'];

/**
 * Writes a whole CTC model to a folder, in the layout of a zipformer: `model.onnx` and `tokens.txt`. It has one thought:
 * while the mean of the 80 mel bands is above a level it hears "hello", otherwise nothing. So each stretch of sound between
 * silences becomes that word, at its time; the library's own feature extraction, ONNX runtime and CTC decoder do the work.
 */
export function writeSoundModel(folder: string): void {
  writeFileSync(path.join(folder, 'model.onnx'), soundModel());
  writeFileSync(path.join(folder, 'tokens.txt'), TOKENS.map((token, id) => `${token} ${id}\n`).join(''));
}

/**
 * ONNX is a protocol buffer (github.com/onnx/onnx, onnx.proto3); the numbers are its field numbers. The graph takes every
 * fourth frame, as a zipformer does: log_probs = LogSoftmax(mean(x) · W + b), log_probs_len = ceil(x_lens / 4).
 */
function soundModel(): Buffer {
  const graph = message(
    [1, node('Slice', ['x', 'starts', 'ends', 'axes', 'steps'], ['x4'])],
    [1, node('ReduceMean', ['x4'], ['mean'], [integers('axes', [2]), integer('keepdims', 1)])],
    [1, node('MatMul', ['mean', 'W'], ['scaled'])],
    [1, node('Add', ['scaled', 'b'], ['logits'])],
    [1, node('LogSoftmax', ['logits'], ['log_probs'], [integer('axis', -1)])],
    [1, node('Add', ['x_lens', 'three'], ['padded'])],
    [1, node('Div', ['padded', 'four'], ['log_probs_len'])],
    [2, text('sound')],
    [5, int64s('starts', [0])],
    [5, int64s('ends', [1_000_000_000])],
    [5, int64s('axes', [1])],
    [5, int64s('steps', [4])],
    [5, int64s('three', [3])],
    [5, int64s('four', [4])],
    [5, floats('W', [1, 2], [0, 1])],
    [5, floats('b', [2], [0, LEVEL_OFFSET])],
    [11, valueInfo('x', FLOAT, ['N', 'T', 80])],
    [11, valueInfo('x_lens', INT64, ['N'])],
    [12, valueInfo('log_probs', FLOAT, ['N', 'T4', 2])],
    [12, valueInfo('log_probs_len', INT64, ['N'])],
  );
  return message([1, 8], [7, graph], [8, message([1, text('')], [2, 13])]);
}

/** Mean log mel energies of digital silence lie near −15.9, those of a rushing noise or of speech far above −12. */
const LEVEL_OFFSET = 12;
const FLOAT = 1;
const INT64 = 7;

type Field = [number: number, value: number | Buffer];

function message(...fields: Field[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([number, value]) =>
      typeof value === 'number'
        ? [varint(number * 8), varint(value)]
        : [varint(number * 8 + 2), varint(value.length), value],
    ),
  );
}

/** Negative numbers are ten bytes, as two's complement of 64 bits. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}

function text(value: string): Buffer {
  return Buffer.from(value, 'utf8');
}

function node(operator: string, inputs: string[], outputs: string[], attributes: Buffer[] = []): Buffer {
  return message(
    ...inputs.map((input): Field => [1, text(input)]),
    ...outputs.map((output): Field => [2, text(output)]),
    [4, text(operator)],
    ...attributes.map((attribute): Field => [5, attribute]),
  );
}

function integer(name: string, value: number): Buffer {
  return message([1, text(name)], [3, value], [20, 2]);
}

function integers(name: string, values: number[]): Buffer {
  return message([1, text(name)], ...values.map((value): Field => [8, value]), [20, 7]);
}

function int64s(name: string, values: number[]): Buffer {
  const data = Buffer.alloc(values.length * 8);
  values.forEach((value, index) => data.writeBigInt64LE(BigInt(value), index * 8));
  return message([1, values.length], [2, INT64], [8, text(name)], [9, data]);
}

function floats(name: string, dims: number[], values: number[]): Buffer {
  const data = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => data.writeFloatLE(value, index * 4));
  return message(...dims.map((dim): Field => [1, dim]), [2, FLOAT], [8, text(name)], [9, data]);
}

function valueInfo(name: string, type: number, shape: Array<string | number>): Buffer {
  const dims = shape.map((dim): Field => [1, typeof dim === 'number' ? message([1, dim]) : message([2, text(dim)])]);
  return message([1, text(name)], [2, message([1, message([1, type], [2, message(...dims)])])]);
}
