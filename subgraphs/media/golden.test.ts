import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { silentLogger } from '../../platform/logger';
import { aViewer, askFor } from '../../platform/testing/calls';
import {
  buildGoldenSpeech,
  goldenSpeechMissing,
  wordErrorRate,
  type GoldenUtterance,
} from '../../platform/testing/golden-speech';
import { describeWhenInstalled, programMissing } from '../../platform/testing/installed';
import { openMediaSlice, transcribing, wholeStream, type MediaSlice } from './testing';
import { pocketSphinxMissing } from './transcriber/pocketsphinx/testing';
import { createTranscribers } from './transcribers';

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

/** How far a segment's beginning may be from where its words begin, in milliseconds. */
const MOST_OFF_MS = 400;

describeWhenInstalled(missing, 'a human voice, from the upload to the transcript', () => {
  const viewer = aViewer();
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sauti-golden-'));
  let slice: MediaSlice;
  let golden: GoldenUtterance[];

  beforeAll(async () => {
    golden = await buildGoldenSpeech(path.join(folder, 'golden.wav'));
    slice = await openMediaSlice(createTranscribers({ concurrency: 1, logger: silentLogger }));
    slice.startWorker();
  });
  afterAll(async () => {
    await slice[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  function recording(ending: string, bitRate: string): Buffer {
    const [wav, file] = [path.join(folder, 'golden.wav'), path.join(folder, `golden.${ending}`)];
    if (ending !== 'wav') execFileSync('ffmpeg', ['-v', 'error', '-i', wav, '-b:a', bitRate, file]);
    return readFileSync(file);
  }

  // The rates are those the project promises; a bit rate is what is usual for speech.
  test.each([
    ['wav', '', 0.02],
    ['mp3', '64k', 0.02],
    ['m4a', '64k', 0.02],
    ['opus', '24k', 0.06],
  ])(
    '%s %s is understood with at most %d word errors a word, in order, at its place, and can be read as subtitles',
    async (ending, bitRate, mostErrors) => {
      const { transcriptId, jobId } = await transcribing(slice, viewer, recording(ending, bitRate));
      const events = await wholeStream(slice, viewer, { id: transcriptId }, 400_000);
      const { transcript } = await askFor<Read>(slice.subgraph, viewer, READ, { id: transcriptId });

      expect(events.at(-1)).toMatchObject({ state: 'COMPLETE', removedSegmentIds: [] });
      const announced = events.slice(0, -1).map(({ segment }) => segment!);
      expect(announced.map(({ id }) => id)).toEqual(transcript.segments.nodes.map(({ id }) => id));
      expect(announced).toHaveLength(golden.length);
      const wanted = golden.map((utterance) => utterance.text).join(' ');
      expect(wordErrorRate(wanted, transcript.text)).toBeLessThanOrEqual(mostErrors);
      announced.forEach(({ startMs, endMs }, index) => {
        expect(Math.abs(startMs - golden[index]!.startMs)).toBeLessThanOrEqual(MOST_OFF_MS);
        expect(endMs).toBeLessThan(golden[index]!.endMs + MOST_OFF_MS);
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
    },
    450_000,
  );
});
