import { createHash } from 'node:crypto';
import type { RecognizedSegment, Transcriber } from '../../transcriber';

export type Hear = (pcm: Int16Array) => Promise<RecognizedSegment[]>;

/** Really recognizes with an engine, each recording once: peers are asked for the same one again and again. */
export function hearWith(engine: Transcriber): Hear {
  const heard = new Map<string, Promise<RecognizedSegment[]>>();
  const recognize = async (pcm: Int16Array) => {
    const segments: RecognizedSegment[] = [];
    const signal = new AbortController().signal;
    for await (const segment of engine.transcribe(inOne(pcm), { signal })) segments.push(segment);
    return segments;
  };
  return (pcm) => {
    const key = createHash('sha256')
      .update(Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength))
      .digest('hex');
    const known = heard.get(key) ?? recognize(pcm);
    heard.set(key, known);
    return known;
  };
}

async function* inOne(pcm: Int16Array): AsyncGenerator<Int16Array> {
  yield pcm;
}
