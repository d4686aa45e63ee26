import { setTimeout as delay } from 'node:timers/promises';
import { Lifecycle } from '../../platform/lifecycle';
import { newId } from '../../platform/ids';
import { silentLogger } from '../../platform/logger';
import { UserProblemError } from '../../platform/errors';
import type { Viewer } from '../../platform/identity/viewer';
import type { Platform } from '../../platform/platform';
import type { Subgraph, SubgraphResult } from '../../platform/subgraph/subgraph';
import { anUpload, askFor, identityOf } from '../../platform/testing/calls';
import { openTestPlatform, type TestPlatformOptions } from '../../platform/testing/platform';
import { startWorkerStack, type WorkerStack } from '../../platform/testing/worker-stack';
import { createMediaHandlers } from './jobs/handlers';
import { createMediaSubgraph } from './subgraph';
import type { Aligner, Probe, RecognizedSegment, Transcriber } from './transcriber/transcriber';
import { createTranscribers } from './transcriber/transcribers';
import type { Transcribers } from './transcribers';
import type { TextTranslator } from './translating/text-translator';

/** The media slice on a database and an object store of its own, with a worker that may be started. */
export interface MediaSlice extends AsyncDisposable {
  platform: Platform;
  subgraph: Subgraph;
  startWorker(): WorkerStack;
}

export async function openMediaSlice(
  transcribers: Transcribers,
  tools: { translator?: TextTranslator; aligner?: Aligner; answerWithinMs?: number } = {},
  options: TestPlatformOptions = {},
): Promise<MediaSlice> {
  const translator = tools.translator ?? writtenTranslator();
  const test_ = await openTestPlatform(options);
  const { platform } = test_;
  const workers: WorkerStack[] = [];
  const lifecycle = new Lifecycle(silentLogger);
  return {
    platform,
    subgraph: createMediaSubgraph(platform, lifecycle, {
      transcribers,
      aligner: null,
      // A busy machine must not decide what a test sees.
      ...{ alignWithinMs: 60_000, answerWithinMs: 60_000 },
      ...tools,
      translator,
    }),
    startWorker() {
      const worker = startWorkerStack(platform, createMediaHandlers({ platform, transcribers, translator }));
      workers.push(worker);
      return worker;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(workers.map((worker) => worker.stop()));
      await lifecycle.stop();
      await transcribers[Symbol.asyncDispose]();
      await test_[Symbol.asyncDispose]();
    },
  };
}

/** What the scripted engine says; a test may change it at any time. */
export interface Script {
  segments: RecognizedSegment[];
  probe: Probe;
  /** Called before a segment is given; may wait, or throw as an engine would. */
  before: (segment: RecognizedSegment, signal: AbortSignal) => Promise<void> | void;
  /** How often an engine call was begun, and ended in any way. */
  begun: number;
  ended: number;
}

export function aScript(...segments: RecognizedSegment[]): Script {
  return { segments, probe: { available: true }, before: () => undefined, begun: 0, ended: 0 };
}

/** An engine that takes the real audio and says its script: each segment once the audio has reached its end. */
export function scripted(script: Script): Transcribers {
  const engine: Transcriber = {
    info: {
      id: 'scripted',
      task: 'RECOGNIZE',
      local: true,
      languages: ['en-US', 'sw'],
      streaming: true,
      wordTimes: true,
      speakers: false,
      confidence: true,
      grammar: false,
      detectsLanguage: false,
      punctuation: true,
      maxKeyterms: 0,
      pieces: null,
      quality: 'Says what the test wrote.',
    },
    probe: async () => script.probe,
    async *transcribe(pcm, { signal }) {
      script.begun++;
      try {
        const rest = [...script.segments];
        let heardMs = 0;
        for await (const samples of pcm) {
          heardMs += samples.length / 16;
          while (rest[0] && rest[0].endMs <= heardMs) {
            await script.before(rest[0], signal);
            signal.throwIfAborted();
            yield rest.shift()!;
          }
        }
      } finally {
        script.ended++;
      }
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
  return createTranscribers([engine]);
}

/** An engine that translates English and writes what it was asked; a test may change it at any time. */
export interface WrittenTranslator extends TextTranslator {
  /** Every call, in order. */
  requests: { texts: readonly string[]; from: string; to: string }[];
  targets: string[];
  version: string;
  /** Thrown instead of any answer, if set. */
  failure: Error | null;
  /** Called before a call is answered; may wait. */
  before: (signal: AbortSignal) => Promise<void> | void;
}

/** "Hello" into Spanish is "es:Hello". */
export function writtenTranslator(...targets: string[]): WrittenTranslator {
  const translator: WrittenTranslator = {
    requests: [],
    targets,
    version: '1',
    failure: null,
    before: () => undefined,
    async engineFor({ from, to }) {
      if (translator.failure) throw translator.failure;
      if (from.split('-')[0] === to.split('-')[0]) return null;
      if (translator.targets.includes(to)) return { engine: 'written', engineVersion: translator.version };
      const message = `No engine here translates from ${from} to ${to}.`;
      throw new UserProblemError({ code: 'LANGUAGE_PAIR_UNSUPPORTED', message });
    },
    async translate(texts, { from, to, signal }) {
      translator.requests.push({ texts, from, to });
      await translator.before(signal);
      signal.throwIfAborted();
      if ((await translator.engineFor({ from, to })) === null) return [...texts];
      return texts.map((text) => `${to}:${text}`);
    },
  };
  return translator;
}

/** A segment in which each word takes 200 ms. */
export function heard(index: number, startMs: number, text: string, confidence = 0.9): RecognizedSegment {
  const words = text.split(' ').map((word, position) => {
    const wordStartMs = startMs + position * 200;
    return { text: word, startMs: wordStartMs, endMs: wordStartMs + 200, confidence };
  });
  return { index, text, startMs, endMs: words.at(-1)!.endMs, confidence, language: 'en-US', words };
}

/** A WAV file of silence: 8 kHz, mono, 8 bit. */
export function aWav(seconds: number): Buffer {
  const samples = Buffer.alloc(Math.round(seconds * 8_000), 128);
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + samples.length, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(8_000, 24);
  header.writeUInt32LE(8_000, 28);
  header.writeUInt16LE(1, 32);
  header.writeUInt16LE(8, 34);
  header.write('data', 36);
  header.writeUInt32LE(samples.length, 40);
  return Buffer.concat([header, samples]);
}

export interface Problem {
  code: string;
  message: string;
  path: string[] | null;
}

export interface Created {
  media: {
    id: string;
    title: string;
    kind: string;
    description: string | null;
    tags: string[];
    file: { id: string };
  } | null;
  job: { id: string; state: string; result: { id: string } } | null;
  errors: Problem[];
}

const CREATE = `mutation Create($input: CreateMediaInput!) { createMedia(input: $input) {
  media { id title kind description tags file { id } }
  job { id state result { ... on Transcript { id } } }
  errors { code message path } } }`;

export async function createMedia({ subgraph }: MediaSlice, viewer: Viewer, input: object): Promise<Created> {
  const { createMedia: payload } = await askFor<{ createMedia: Created }>(subgraph, viewer, CREATE, { input });
  return payload;
}

/** Uploads a recording and asks for its transcript; answers the ids. */
export async function transcribing(
  slice: MediaSlice,
  viewer: Viewer,
  bytes: Buffer = aWav(10),
  transcribe: object = {},
): Promise<{ mediaId: string; jobId: string; transcriptId: string }> {
  const input = { upload: anUpload(bytes, 'talk.wav'), transcribe };
  const { media, job, errors } = await createMedia(slice, viewer, input);
  if (!media || !job) throw new Error(`The recording was refused: ${JSON.stringify(errors)}`);
  return { mediaId: media.id, jobId: job.id, transcriptId: job.result.id };
}

export interface StreamEvent {
  __typename: 'SegmentChanged' | 'TranscriptFinished' | 'StreamGap';
  cursor: string;
  isSnapshot?: boolean;
  segment?: { id: string; revision: number; startMs: number; endMs: number; text: string };
  state?: string;
  error?: { code: string; message: string; retryable: boolean } | null;
  removedSegmentIds?: string[];
  transcript?: { id: string; state: string; text: string };
  missed?: number | null;
}

interface FollowVariables extends Record<string, unknown> {
  id: string;
  after?: string;
  snapshot?: boolean;
}

const FOLLOW = `subscription Follow($id: ID!, $after: String, $snapshot: Boolean) {
  transcriptEvents(transcriptId: $id, after: $after, snapshot: $snapshot) {
  __typename
  ... on StreamEvent { cursor at }
  ... on SegmentChanged { isSnapshot segment { id revision startMs endMs text } }
  ... on TranscriptFinished { isSnapshot state error { code message retryable } removedSegmentIds transcript { id state text } }
  ... on StreamGap { reason missed } } }`;

/** The raw results of `transcriptEvents`. */
export function follow(
  { subgraph }: MediaSlice,
  viewer: Viewer | null,
  variables: FollowVariables,
): AsyncGenerator<SubgraphResult, void, void> {
  const signal = new AbortController().signal;
  return subgraph.subscribe({ query: FOLLOW, variables }, { identity: identityOf(viewer), signal });
}

/** Every event until the stream completes; fails when it has not after `limitMs`. */
export async function wholeStream(
  slice: MediaSlice,
  viewer: Viewer,
  variables: FollowVariables,
  limitMs = 30_000,
): Promise<StreamEvent[]> {
  const events: StreamEvent[] = [];
  const stream = follow(slice, viewer, variables);
  const limit = new AbortController();
  const late = delay(limitMs, undefined, { signal: limit.signal }).then(
    () => Promise.reject(new Error(`The stream did not complete; ${events.length} events came.`)),
    () => undefined as never,
  );
  try {
    for (;;) {
      const { value, done } = await Promise.race([stream.next(), late]);
      if (done) return events;
      if (value.errors) throw new Error(JSON.stringify(value.errors));
      events.push((value.data as { transcriptEvents: StreamEvent }).transcriptEvents);
    }
  } finally {
    limit.abort();
    await stream.return();
  }
}

/** A recording with a complete transcript in US English, whose segments have these texts, a second each. */
export async function aCompleteTranscript(
  { platform }: MediaSlice,
  viewer: Viewer,
  texts: readonly string[],
): Promise<{ mediaId: string; transcriptId: string }> {
  const { prisma } = platform.database;
  const media = {
    id: newId('med'),
    ownerId: viewer.userId,
    fileId: newId('fil'),
    kind: 'AUDIO',
    title: 'Talk',
  } as const;
  await prisma.media.create({ data: { ...media, durationMs: texts.length * 1_000 } });
  const transcript = {
    id: newId('trn'),
    ownerId: viewer.userId,
    mediaId: media.id,
    jobId: newId('job'),
    engine: 'scripted',
  };
  await prisma.transcript.create({ data: { ...transcript, language: 'en-US', state: 'COMPLETE' } });
  await prisma.segment.createMany({
    data: texts.map((text, position) => ({
      ...{ id: newId('seg'), transcriptId: transcript.id, position, text, language: 'en-US', words: [] },
      ...{ startMs: position * 1_000, endMs: position * 1_000 + 900 },
    })),
  });
  return { mediaId: media.id, transcriptId: transcript.id };
}
