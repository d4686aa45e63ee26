import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { askFor, aViewer } from '../../../platform/testing/calls';
import { buildGoldenSpeech, goldenSpeechMissing } from '../../../platform/testing/golden-speech';
import { describeWhenInstalled, programMissing } from '../../../platform/testing/installed';
import { decodePcm } from '../decoder/decode-pcm';
import { aScript, openMediaSlice, scripted } from '../testing';
import { aTranscript } from '../testing-transcripts';
import { createPocketSphinxAligner } from '../transcriber/pocketsphinx/aligner';
import { createPocketSphinx } from '../transcriber/pocketsphinx/pocketsphinx';
import { pocketSphinxMissing } from '../transcriber/pocketsphinx/testing';
import type { RecognizedSegment, Word } from '../transcriber/transcriber';

jest.setTimeout(120_000);

const missing = programMissing('ffmpeg', 'ffmpeg') ?? pocketSphinxMissing() ?? goldenSpeechMissing();

describeWhenInstalled(missing, 'a correction of a human voice', () => {
  let folder: string;
  let file: string;
  beforeAll(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'sauti-correction-'));
    file = path.join(folder, 'golden.wav');
    await buildGoldenSpeech(file);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('puts the right words where they are said, not where their letters would be', async () => {
    const viewer = aViewer();
    const segment = await longestOf(file);
    await using aligner = createPocketSphinxAligner();
    await using slice = await openMediaSlice(scripted(aScript()), { aligner });
    // Three words in the middle were misheard as one.
    const from = Math.floor(segment.words.length / 2) - 1;
    const right = segment.words.slice(from, from + 3);
    const misheard: Word = { text: 'mumble', startMs: right[0]!.startMs, endMs: right[2]!.endMs, confidence: 0.1 };
    const words = [...segment.words.slice(0, from), misheard, ...segment.words.slice(from + 3)];
    const wrong = { ...segment, index: 0, words, text: words.map(({ text }) => text).join(' ') };
    const { segmentIds } = await aTranscript(slice, viewer, [wrong], { bytes: readFileSync(file) });

    const query = `mutation Edit($input: EditSegmentInput!) { editSegment(input: $input) {
      segment { text words { text startMs endMs confidence } } errors { message } } }`;
    interface Edited {
      editSegment: { segment: { text: string; words: Word[] }; errors: object[] };
    }
    const input = { segmentId: segmentIds[0], expectedRevision: 1, text: segment.text };
    const { editSegment } = await askFor<Edited>(slice.subgraph, viewer, query, { input });
    expect(editSegment).toMatchObject({ errors: [], segment: { text: segment.text } });
    const corrected = editSegment.segment.words.slice(from, from + 3);
    corrected.forEach((word, index) => {
      expect(word).toMatchObject({ text: right[index]!.text, confidence: null });
      expect(Math.abs(word.startMs - right[index]!.startMs)).toBeLessThanOrEqual(100);
      expect(Math.abs(word.endMs - right[index]!.endMs)).toBeLessThanOrEqual(100);
    });
    expect(editSegment.segment.words[0]).toMatchObject(segment.words[0]!);
  });
});

async function longestOf(file: string): Promise<RecognizedSegment> {
  const { signal } = new AbortController();
  await using engine = createPocketSphinx();
  const segments: RecognizedSegment[] = [];
  for await (const segment of engine.transcribe(decodePcm(file, { signal }), { signal })) segments.push(segment);
  return segments.sort((one, other) => other.words.length - one.words.length)[0]!;
}
