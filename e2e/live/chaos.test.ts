import { createHash } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parse } from 'graphql';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { mergeTranscript } from '../../client/transcript-merge';
import { createRandom } from '../../gateway/differential/random';
import { buildGoldenSpeech, samplesOf } from '../../platform/testing/golden-speech';
import { waitFor } from '../../platform/testing/wait';
import { startDatabase, type ChaosDatabase } from '../chaos/database';
import { describeInBothModes, enginesMissing } from '../engines';
import { aPerson, type Person } from '../people';
import { startProxy } from '../proxy';
import { startSystem } from '../system';
import { disturbancesOf, type Disturbance } from './disturbances';
import { microphoneVia, spoken, startLive } from './speaking';

/** Twice as fast as people speak: the sentences are under way long enough to be struck in their middle. */
const SPEED = 2;
const SEED = Number(process.env['LIVE_CHAOS_SEED'] ?? 6);
const WAV_HEADER_BYTES = 44;

let folder: string;
let samples: Buffer;
let database: ChaosDatabase;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'sauti-live-chaos-'));
  await chmod(folder, 0o755); // or root's database, which runs as another user, would keep its data elsewhere
  if (enginesMissing() !== null) return;
  await buildGoldenSpeech(path.join(folder, 'voice.wav'));
  samples = await samplesOf(path.join(folder, 'voice.wav'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describeInBothModes('a live session', (mode) => {
  beforeEach(async () => {
    database = await startDatabase(path.join(folder, `postgres-${mode.replaceAll(' ', '-')}`));
  });
  afterEach(() => database[Symbol.asyncDispose]());

  test('whose audio, reader, gateway, worker and database are cut at random ends with the transcript of an undisturbed one', async () => {
    // A pause is no fault: on a slow machine no outage shall be long enough for one.
    await using system = await startSystem(mode, { DATABASE_URL: database.url, LIVE_PAUSE_AFTER_SECONDS: '60' });
    await using reader = await startProxy(system.endpoint);
    await using amina = await aPerson(reader.url);

    const calmId = await startLive(amina, { record: false });
    await using calmMicrophone = amina.client.liveAudio(calmId);
    await calmMicrophone.send(samples);
    await calmMicrophone.end();
    const undisturbed = await read(amina, calmId);
    expect(undisturbed.segments).toHaveLength(10);

    const sessionId = await startLive(amina);
    const { ingest } = await place(amina, sessionId);
    await using audio = await startProxy(ingest!.webSocketUrl.replace('ws:', 'http:'));
    await using microphone = microphoneVia(amina, sessionId, audio.url);
    const followed = follow(amina, sessionId);
    const struck = strikeWhileSpoken(disturbancesOf(mode, system, { audio, reader, database }));
    await microphone.sendAll(spoken(samples, SPEED, struck.spokenMs));
    await struck.all;
    await microphone.end();
    const events = await followed;

    const disturbed = await read(amina, sessionId);
    expect(disturbed.segments).toEqual(undisturbed.segments);
    expect(mergeTranscript(events).map(said)).toEqual(disturbed.segments);
    expect(repeated(events)).toEqual([]);
    expect(sha256((await recordingOf(amina, sessionId)).subarray(WAV_HEADER_BYTES))).toBe(sha256(samples));
  }, 240_000);
});

/** Strikes with one after the other, in an order of chance, each at its own moment of the speech. */
function strikeWhileSpoken(disturbances: Disturbance[]): { spokenMs: (ms: number) => void; all: Promise<void> } {
  const random = createRandom(SEED);
  const waiting = [...disturbances];
  const lengthMs = samples.length / 32;
  const share = lengthMs / (disturbances.length + 1);
  let spoken = 0;
  const strikeAll = async (): Promise<void> => {
    for (let number = 0; waiting.length > 0; number++) {
      const atMs = share * number + 500 + random.below(share);
      await waitFor(`speech at ${atMs.toFixed(0)} ms`, () => spoken >= atMs || spoken >= lengthMs, 120_000);
      const [next] = waiting.splice(random.below(waiting.length), 1);
      await next!.strike();
    }
  };
  return { spokenMs: (ms) => (spoken = ms), all: strikeAll() };
}

interface Segment {
  id: string;
  revision: number;
  state: string;
  text: string;
  startMs: number;
  endMs: number;
  words: { text: string; startMs: number; endMs: number; confidence: number | null }[];
}
/** What of a segment is the transcript; ids differ between sessions. */
type Said = Pick<Segment, 'text' | 'startMs' | 'endMs' | 'words' | 'state'>;

const SEGMENT = 'id revision state text startMs endMs words { text startMs endMs confidence }';
const FOLLOW: TypedDocumentNode<{ liveTranscript: { __typename: string; segment?: Segment } }, { id: string }> = parse(
  `subscription ($id: ID!) { liveTranscript(sessionId: $id) { __typename ... on SegmentChanged { segment { ${SEGMENT} } } } }`,
);
const READ: TypedDocumentNode<
  {
    liveSession: {
      state: string;
      acknowledgedSequence: number;
      ingest: { webSocketUrl: string; token: string } | null;
      media: { file: { download: { url: string } } } | null;
      transcript: { state: string; segments: { nodes: Segment[] } };
    };
  },
  { id: string }
> = parse(
  `query ($id: ID!) { liveSession(id: $id) { state acknowledgedSequence ingest { webSocketUrl token }
     media { file { download { url } } } transcript { state segments { nodes { ${SEGMENT} } } } } }`,
);

const place = async ({ client }: Person, id: string) => (await client.request(READ, { id })).liveSession;

/** Every segment event, once the stream has completed. */
async function follow({ client }: Person, id: string): Promise<Segment[]> {
  const events: Segment[] = [];
  for await (const { liveTranscript } of client.subscribe(FOLLOW, { id })) {
    if (liveTranscript.segment) events.push(liveTranscript.segment);
  }
  return events;
}

/** The transcript as it is read once the session has ended. */
async function read(person: Person, id: string): Promise<{ segments: Said[] }> {
  const session = await waitFor(
    'the session to end',
    async () => {
      const now = await place(person, id);
      return now.state === 'ENDED' || now.state === 'FAILED' ? now : null;
    },
    60_000,
  );
  expect(session.state).toBe('ENDED');
  expect(session.transcript.state).toBe('COMPLETE');
  return { segments: session.transcript.segments.nodes.map(said) };
}

/** Events that tell a revision of a segment again, or an earlier one. */
function repeated(events: readonly Segment[]): Segment[] {
  const newest = new Map<string, number>();
  return events.filter(({ id, revision }) => {
    const isOld = (newest.get(id) ?? 0) >= revision;
    newest.set(id, revision);
    return isOld;
  });
}

const said = ({ text, startMs, endMs, words, state }: Segment): Said => ({ text, startMs, endMs, words, state });

async function recordingOf(person: Person, id: string): Promise<Buffer> {
  const { media } = await place(person, id);
  return Buffer.from(await (await fetch(media!.file.download.url)).arrayBuffer());
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
