import path from 'node:path';
import { newId } from '../../../../platform/ids';
import type { Platform } from '../../../../platform/platform';
import { buildGoldenSpeech, samplesOf, type GoldenUtterance } from '../../../../platform/testing/golden-speech';
import { waitFor } from '../../../../platform/testing/wait';
import { transcriptTopic, type TranscriptEvent } from '../../events';
import { asSegmentRow, MEDIA_MODELS, type SegmentRow } from '../../records';
import type { LiveEngine } from '../../transcriber/live/live-decoder';
import { createLiveEngines } from '../../transcriber/live/live-engines';
import type { RecognitionPlan } from '../../transcription/recognition-plan';
import { AudioStore } from '../ingest/audio-store';
import type { LiveSessionRow, LiveState } from '../live-session';
import type { LiveSettings } from '../live-settings';
import { startLiveHost, type LiveHost, type LiveHostOptions } from './live-host';

const PLAN: RecognitionPlan = {
  ...{ language: 'en-US', languages: [], speakers: null, keyterms: [], grammar: null, perChannel: false },
  ...{ maskProfanity: false, redact: [], normalize: false, engine: 'tones', pinned: false },
};

/** A session that waits for audio, and what is sent to it: 16 kHz PCM unless it says otherwise. */
export class SpokenSession {
  private readonly store: AudioStore;
  private sequence = 0;

  private constructor(
    private readonly platform: Platform,
    readonly id: string,
    readonly transcriptId: string,
  ) {
    this.store = new AudioStore(platform.database.slice(MEDIA_MODELS), platform.events);
  }

  static async begin(
    platform: Platform,
    { plan, ...session }: Partial<Omit<LiveSessionRow, 'checkpoint'>> & { plan?: Partial<RecognitionPlan> } = {},
  ): Promise<SpokenSession> {
    const { prisma } = platform.database;
    const ownerId = newId('usr');
    const options = { ...PLAN, ...plan };
    const transcript = { id: newId('trn'), ownerId, language: options.language ?? 'und', engine: options.engine };
    await prisma.transcript.create({ data: { ...transcript, options } });
    const { id } = await prisma.liveSession.create({
      data: {
        ...{ id: newId('liv'), ownerId, title: 'Talk', transcriptId: transcript.id, encoding: 'PCM_S16LE' },
        ...{ sampleRate: 16_000, endpointingMs: 500, record: false, refine: false },
        ...session,
      },
    });
    return new SpokenSession(platform, id, transcript.id);
  }

  /** One chunk. */
  async send(bytes: Uint8Array): Promise<void> {
    await this.store.append({ sessionId: this.id, number: 0 }, [{ sequence: ++this.sequence, bytes }]);
  }

  /** In chunks of so many bytes, as fast as they are taken. */
  async sendAll(bytes: Uint8Array, chunkBytes = 3_200): Promise<void> {
    for (let from = 0; from < bytes.length; from += chunkBytes) {
      await this.untilHeard(800_000n);
      await this.send(bytes.subarray(from, from + chunkBytes));
    }
  }

  /** All of a complete session at once: `rows` times the same. */
  async fill(rows: number, bytes: Uint8Array): Promise<void> {
    const { prisma } = this.platform.database;
    await prisma.$executeRaw`
      insert into media.live_audio (session_id, "row", from_byte, bytes, last_sequence)
      select ${this.id}, n, (n - 1)::bigint * ${bytes.length}::int, ${bytes}::bytea, n from generate_series(1, ${rows}::int) n`;
    await prisma.$executeRaw`
      update media.live_session set state = 'ENDING', is_complete = true, stored_rows = ${rows}::int,
             acknowledged_sequence = ${rows}::int, stored_bytes = ${rows}::bigint * ${bytes.length}::int where id = ${this.id}`;
  }

  async flush(): Promise<void> {
    await this.store.flush({ sessionId: this.id, number: 0 });
  }

  async end(): Promise<void> {
    await this.store.end({ sessionId: this.id, number: 0 });
  }

  row(): Promise<LiveSessionRow> {
    return this.platform.database.prisma.liveSession.findUniqueOrThrow({ where: { id: this.id } });
  }

  until(state: LiveState): Promise<LiveSessionRow> {
    return waitFor(`the session to be ${state}`, async () => {
      const row = await this.row();
      return row.state === state ? row : null;
    });
  }

  async segments(): Promise<SegmentRow[]> {
    const where = { transcriptId: this.transcriptId };
    const rows = await this.platform.database.prisma.segment.findMany({ where, orderBy: { position: 'asc' } });
    return rows.map(asSegmentRow);
  }

  /** Everything that was told, in order. */
  async events(): Promise<TranscriptEvent[]> {
    const where = { topic: transcriptTopic(this.transcriptId).name };
    const rows = await this.platform.database.prisma.event.findMany({ where, orderBy: { seq: 'asc' } });
    return rows.map(({ payload }) => payload as unknown as TranscriptEvent);
  }

  /** How often each segment was told, and what it said. */
  async told(): Promise<SegmentRow[]> {
    return (await this.events()).flatMap((event) => (event.type === 'segment.changed' ? [event.segment] : []));
  }

  /** At most so many bytes wait to be heard. */
  async untilHeard(leftBytes: bigint): Promise<void> {
    await waitFor('audio to be heard', async () => {
      const { storedBytes, heardBytes } = await this.row();
      return storedBytes - heardBytes <= leftBytes;
    });
  }
}

/** As a writer sends it. */
export function bytesOf(samples: Int16Array): Uint8Array {
  return new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
}

/** What was said in the end, as any run must have heard it. */
export function essence(segments: readonly SegmentRow[]): object[] {
  return segments.map(({ position, state, text, words, startMs, endMs, confidence, turnEnd }) => ({
    ...{ position, state, text, words, startMs, endMs, confidence, turnEnd },
  }));
}

type HostWishes = Partial<Pick<LiveSettings, 'places' | 'pauseAfterMs'>> &
  Pick<LiveHostOptions, 'retriesMs' | 'brokenMs'>;

export function aHost(
  platform: Platform,
  engine: LiveEngine,
  { retriesMs, brokenMs, ...settings }: HostWishes = {},
): LiveHost {
  return startLiveHost({
    platform,
    engines: createLiveEngines([engine]),
    ...(retriesMs && { retriesMs }),
    ...(brokenMs !== undefined && { brokenMs }),
    settings: { places: 4, pauseAfterMs: 600_000, maxDurationMs: 4 * 3_600_000, sessionsPerAccount: 5, ...settings },
  });
}

/** The golden recording as 16 kHz PCM, and what is said when. */
export async function goldenPcm(folder: string): Promise<{ pcm: Uint8Array; utterances: GoldenUtterance[] }> {
  const file = path.join(folder, 'golden.wav');
  const utterances = await buildGoldenSpeech(file);
  return { pcm: await samplesOf(file), utterances };
}
