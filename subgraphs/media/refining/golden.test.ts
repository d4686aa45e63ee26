import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { silentLogger } from '../../../platform/logger';
import { aViewer } from '../../../platform/testing/calls';
import {
  buildGoldenSpeech,
  goldenSpeechMissing,
  wordErrorRate,
  type GoldenUtterance,
} from '../../../platform/testing/golden-speech';
import { describeWhenInstalled, programMissing } from '../../../platform/testing/installed';
import { jobEnd } from '../../../platform/testing/job-end';
import { recordingOf } from '../live/recognition/recording';
import { aHeardSession, inPieces } from '../live/testing-sessions';
import { MEDIA_MODELS } from '../records';
import { openMediaSlice, type MediaSlice } from '../testing';
import type { GivenSegment } from '../testing-transcripts';
import { pocketSphinxMissing } from '../transcriber/pocketsphinx/testing';
import { createTranscribers } from '../transcribers';
import { beginRefinement } from './begin-refinement';

const missing = programMissing('ffmpeg', 'ffmpeg') ?? pocketSphinxMissing() ?? goldenSpeechMissing();
const RATE = 44_100;
/** Enough of them to tell, and few enough to be heard in seconds. */
const UTTERANCES = 4;
/** What of the last utterance was heard live by mistake as another one. */
const ECHO_MS = 300;

describeWhenInstalled(missing, 'a human voice in a live session, heard again by PocketSphinx', () => {
  const viewer = aViewer();
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sauti-golden-'));
  let slice: MediaSlice;
  let golden: GoldenUtterance[];
  let pcm: Buffer;

  beforeAll(async () => {
    const wav = path.join(folder, 'golden.wav');
    golden = (await buildGoldenSpeech(wav)).slice(0, UTTERANCES);
    const raw = [
      '-t',
      String(golden.at(-1)!.endMs / 1_000 + 1),
      '-f',
      's16le',
      '-ac',
      '1',
      '-ar',
      String(RATE),
      'pipe:1',
    ];
    pcm = execFileSync('ffmpeg', ['-v', 'error', '-i', wav, ...raw], { maxBuffer: 2 ** 26 });
    slice = await openMediaSlice(createTranscribers({ concurrency: 1, logger: silentLogger }));
  });
  afterAll(async () => {
    await slice[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  test('keeps the id of every sentence, though it began and ended elsewhere, and gets the words right', async () => {
    const shiftMs = (index: number): number => (index % 2 === 0 ? 1 : -1) * 150;
    const said = golden.map(({ startMs, endMs }, index): GivenSegment => {
      const about = { index, confidence: 0.5, language: 'en-US', words: [], text: `misheard ${index}` };
      return { ...about, startMs: startMs + shiftMs(index), endMs: endMs + shiftMs(index) };
    });
    const last = golden.at(-1)!.endMs;
    const echo = {
      ...said.at(-1)!,
      index: said.length,
      text: 'echo',
      startMs: last + 400,
      endMs: last + 400 + ECHO_MS,
    };
    const { session, segmentIds } = await aHeardSession(slice, viewer, inPieces(pcm, 8_820), {
      segments: [...said, echo],
      session: { sampleRate: RATE },
    });
    const recording = await recordingOf(slice.platform, session, new AbortController().signal);
    const job = await slice.platform.database.slice(MEDIA_MODELS).transaction(async (tx) => {
      await recording!.keep(tx, { id: 'pocketsphinx' });
      return beginRefinement(tx, slice.platform.events, session.transcriptId);
    });
    slice.startWorker();
    expect(await jobEnd(slice.platform, job.id, 200_000)).toMatchObject({ state: 'SUCCEEDED' });

    const { transcriptId } = session;
    const { prisma } = slice.platform.database;
    const segments = await prisma.segment.findMany({ where: { transcriptId }, orderBy: { position: 'asc' } });
    expect(segments.map(({ id }) => id)).toEqual(segmentIds.slice(0, -1));
    expect(segments.map(({ revision }) => revision)).toEqual(golden.map(() => 2));
    const text = segments.map((segment) => segment.text).join(' ');
    // As for recordings, see golden.test.ts of the slice.
    expect(wordErrorRate(golden.map((utterance) => utterance.text).join(' '), text)).toBeLessThanOrEqual(0.02);
    expect(segments.every(({ words }) => (words as unknown[]).length > 0)).toBe(true);
    const transcript = await prisma.transcript.findUniqueOrThrow({ where: { id: transcriptId } });
    expect(transcript).toMatchObject({ state: 'COMPLETE', engine: 'pocketsphinx', revision: 2 });
    expect(Math.abs(transcript.durationMs! - pcm.length / 2 / (RATE / 1_000))).toBeLessThan(100);
  }, 250_000);
});
