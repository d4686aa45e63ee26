import { pause } from '../../../platform/pause';
import { untilAborted } from '../transcriber/abort';
import {
  PCM_SAMPLE_RATE_HZ,
  TranscriberFailedError,
  type RecognizedSegment,
  type TranscribeOptions,
  type Transcriber,
} from '../transcriber/transcriber';
import { inOrder } from './in-order';
import type { Piece } from './pieces';

/** What was recognized behind what came before, in the order of the recording; `channel` is where it was heard. */
export interface HeardPiece {
  /** Where this stretch ends; milliseconds of the source media. */
  endMs: number;
  spokenMs: number;
  segments: ChannelSegment[];
}

export interface ChannelSegment extends RecognizedSegment {
  channel: number;
}

export interface RecognizeOptions {
  engine: Transcriber;
  call: Omit<TranscribeOptions, 'startMs' | 'signal'>;
  /** Most calls at once. */
  parallel: number;
  /**
   * Told how much more has been heard, in milliseconds of one channel: as it is heard by an engine that takes audio only as
   * fast as it recognizes (`streaming` on this machine; a service takes it as fast as the network does), else when a piece
   * is done.
   */
  onHeard?: (ms: number) => void;
  signal: AbortSignal;
}

/** Pauses before the new tries of a piece that the engine failed at; then the engine counts as failed. */
const RETRY_MS = [200, 1_000];
const CHUNK_SAMPLES = PCM_SAMPLE_RATE_HZ / 10;

interface Call {
  piece: Piece;
  channel: number;
}

/**
 * Recognizes pieces, several at once, and yields what was heard in the order of the recording. A call that fails and may
 * succeed another time is made up to three times, unless the engine has done so itself. The first failure, or the signal, ends all calls; it is thrown.
 */
export async function* recognizePieces(
  pieces: AsyncIterable<Piece>,
  options: RecognizeOptions,
): AsyncGenerator<HeardPiece, void, undefined> {
  const recognize = async ({ piece, channel }: Call, signal: AbortSignal) => ({
    piece: { ...piece, channels: piece.channels.length },
    channel,
    segments: await recognizePatiently({ piece, channel }, options, signal),
  });
  let heard: ChannelSegment[] = [];
  for await (const { piece, channel, segments } of inOrder(callsOf(pieces), recognize, options)) {
    heard.push(...segments.map((segment) => ({ ...segment, channel })));
    if (channel < piece.channels - 1) continue;
    yield { endMs: piece.endMs, spokenMs: piece.spokenMs, segments: inTime(heard) };
    heard = [];
  }
}

/** The segments of several channels in the order of their beginnings. */
export function inTime(segments: ChannelSegment[]): ChannelSegment[] {
  return segments.sort((one, other) => one.startMs - other.startMs || one.channel - other.channel);
}

async function* callsOf(pieces: AsyncIterable<Piece>): AsyncGenerator<Call, void, undefined> {
  for await (const piece of pieces) {
    for (const channel of piece.channels.keys()) yield { piece, channel };
  }
}

async function recognizePatiently(
  call: Call,
  options: RecognizeOptions,
  signal: AbortSignal,
): Promise<RecognizedSegment[]> {
  let toldMs = 0;
  const tell = (heardMs: number): void => {
    if (heardMs > toldMs) options.onHeard?.(heardMs - toldMs); // what is tried again is not told again
    toldMs = Math.max(toldMs, heardMs);
  };
  for (let tried = 0; ; tried++) {
    try {
      return await recognizeOnce(call, { ...options, tell }, signal);
    } catch (error) {
      const mayHelp = error instanceof TranscriberFailedError && error.retryable && !error.wasRetried;
      if (signal.aborted || !mayHelp || tried >= RETRY_MS.length) throw error;
      await pause(RETRY_MS[tried]!, signal);
      signal.throwIfAborted();
    }
  }
}

async function recognizeOnce(
  { piece, channel }: Call,
  { engine, call, tell }: RecognizeOptions & { tell: (heardMs: number) => void },
  signal: AbortSignal,
): Promise<RecognizedSegment[]> {
  const segments: RecognizedSegment[] = [];
  const { streaming, local } = engine.info;
  const pcm = inChunks(piece.channels[channel]!, streaming && local ? tell : () => undefined);
  const heard = engine.transcribe(pcm, { ...call, startMs: piece.startMs, signal });
  for await (const segment of untilAborted(heard, signal)) segments.push(segment);
  tell(piece.endMs - piece.startMs);
  return segments;
}

async function* inChunks(
  samples: Int16Array,
  taken: (ms: number) => void,
): AsyncGenerator<Int16Array, void, undefined> {
  for (let from = 0; from < samples.length; from += CHUNK_SAMPLES) {
    yield samples.slice(from, from + CHUNK_SAMPLES);
    taken(((from + CHUNK_SAMPLES) / PCM_SAMPLE_RATE_HZ) * 1_000);
  }
}
