import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { silentLogger } from '../../platform/logger';
import { aViewer, askFor } from '../../platform/testing/calls';
import { buildGoldenSpeech, goldenSpeechMissing, wordErrorRate } from '../../platform/testing/golden-speech';
import { describeWhenInstalled, programMissing } from '../../platform/testing/installed';
import { openMediaSlice, transcribing, wholeStream } from './testing';
import { createTranscribers } from './transcribers';

/** Found without the code under test: its own probe must not decide whether it is tested. */
function pocketSphinxMissing(): string | null {
  try {
    const koffi = createRequire(__filename)('koffi') as { load(name: string): { unload(): void } };
    koffi.load('libpocketsphinx.so.3').unload();
  } catch (error) {
    return `PocketSphinx cannot be loaded: ${String(error)}. Install it with: apt-get install libpocketsphinx3`;
  }
  const model = '/usr/share/pocketsphinx/model/en-us/en-us.lm.bin';
  return existsSync(model) ? null : `${model} is not here. Install it with: apt-get install pocketsphinx-en-us`;
}

const missing = programMissing('ffmpeg', 'ffmpeg') ?? pocketSphinxMissing() ?? goldenSpeechMissing();

interface Read {
  transcript: {
    segments: { nodes: { id: string; startMs: number; endMs: number; words: { startMs: number; endMs: number }[] }[] };
    media: { durationMs: number; kind: string };
    text: string;
    srt: { text: string; warnings: string[] };
    vtt: { text: string };
  };
}
const READ = `query Read($id: ID!) { transcript(id: $id) {
  segments { nodes { id startMs endMs words { startMs endMs } } } media { durationMs kind } text
  srt: export(format: SRT) { text warnings } vtt: export(format: VTT) { text } } }`;

describeWhenInstalled(missing, 'a human voice, from the upload to the transcript', () => {
  test('is understood with few word errors, in order, at its place, and can be read as subtitles', async () => {
    const viewer = aViewer();
    const folder = await mkdtemp(path.join(os.tmpdir(), 'sauti-golden-'));
    await using slice = await openMediaSlice(createTranscribers({ concurrency: 1, logger: silentLogger }));
    try {
      const file = path.join(folder, 'golden.wav');
      const golden = await buildGoldenSpeech(file);
      slice.startWorker();
      const { transcriptId, jobId } = await transcribing(slice, viewer, await readFile(file));
      const events = await wholeStream(slice, viewer, { id: transcriptId }, 100_000);
      const { transcript } = await askFor<Read>(slice.subgraph, viewer, READ, { id: transcriptId });

      expect(events.at(-1)).toMatchObject({ state: 'COMPLETE', removedSegmentIds: [] });
      const announced = events.slice(0, -1).map(({ segment }) => segment!);
      expect(announced.map(({ id }) => id)).toEqual(transcript.segments.nodes.map(({ id }) => id));
      expect(announced).toHaveLength(golden.length);
      const wanted = golden.map((utterance) => utterance.text).join(' ');
      expect(wordErrorRate(wanted, transcript.text)).toBeLessThanOrEqual(0.15);
      announced.forEach(({ startMs, endMs }, index) => {
        expect(startMs).toBeGreaterThan(golden[index]!.startMs - 400);
        expect(endMs).toBeLessThan(golden[index]!.endMs + 400);
      });
      for (const { startMs, endMs, words } of transcript.segments.nodes) {
        expect(words[0]!.startMs).toBe(startMs);
        expect(words.at(-1)!.endMs).toBe(endMs);
      }
      expect(transcript.media.kind).toBe('AUDIO');
      expect(Math.abs(transcript.media.durationMs - golden.at(-1)!.endMs - 900)).toBeLessThan(100);
      expect(transcript.srt.text.match(/ --> /g)!.length).toBeGreaterThanOrEqual(golden.length);
      expect(transcript.vtt.text).toMatch(/^WEBVTT\n\n00:00:00\.\d{3} --> 00:00:0\d/);

      const job = await slice.platform.database.prisma.job.findUniqueOrThrow({ where: { id: jobId } });
      expect(job).toMatchObject({ state: 'SUCCEEDED', attempt: 1, progress: 1 });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }, 150_000);
});
