import type { Lifecycle } from '../../platform/lifecycle';
import type { Platform } from '../../platform/platform';
import { readRepositoryFile } from '../../platform/root';
import { buildSubgraph } from '../../platform/subgraph/build-subgraph';
import type { Subgraph } from '../../platform/subgraph/subgraph';
import { DerivedJobs } from './asking/derived-jobs';
import { MediaWork } from './asking/work';
import { createContext } from './context';
import { EditRecords } from './editing/edit-records';
import { SegmentEdits } from './editing/segment-edits';
import { liveEnvironment, speechEnvironment } from './environment';
import { Estimates } from './estimating/estimates';
import { ExportJobRecords } from './exporting/export-job-records';
import { ExportRecords } from './exports/export-records';
import { MediaFacts } from './facts/facts';
import { FactRecords } from './facts/records';
import { EnginesNow } from './lineage/engines-now';
import { Freshness } from './lineage/freshness';
import { LineageRecords } from './lineage/lineage-records';
import { Reprocessing } from './lineage/reprocessing';
import { LiveCalls } from './live/live-calls';
import type { LiveSettings } from './live/live-settings';
import { LiveSessionRecords } from './live/session-records';
import { LiveSessions } from './live/sessions';
import { LiveStarts } from './live/start-session';
import { MediaLibrary } from './media';
import { MEDIA_MODELS, MediaRecords, type MediaRow } from './records';
import { AudioStore } from './live/ingest/audio-store';
import { IngestTokens } from './live/ingest/ingest-token';
import { createLiveIngest } from './live/ingest/live-ingest';
import { resolvers } from './resolvers/resolvers';
import { Search } from './search/search';
import { SearchRecords } from './search/search-records';
import { SpeakerNames } from './speakers/rename-speaker';
import { SpeakerRecords } from './speakers/speaker-records';
import { createPocketSphinxAligner } from './transcriber/pocketsphinx/aligner';
import type { Aligner } from './transcriber/transcriber';
import { createTranscribers, type Transcribers } from './transcribers';
import { RenditionRecords } from './transcoding/rendition-records';
import { Transcodings } from './transcoding/transcodings';
import { Transcripts } from './transcripts';
import type { TextTranslator } from './translating/text-translator';
import { TranslationRecords } from './translating/translation-records';

/** A person who corrects a segment waits for this; milliseconds. */
const ALIGN_WITHIN_MS = 5_000;

/**
 * Recordings and what was said in them. Here it is only asked which engines there are; the worker runs them. Only the few
 * words of a correction are aligned here, because somebody waits for them; `aligner: null` places them by their length.
 * Engines made here are disposed by the lifecycle, those handed in by their owner.
 */
export function createMediaSubgraph(
  platform: Platform,
  lifecycle: Lifecycle,
  tools: {
    translator: TextTranslator;
    transcribers?: Transcribers;
    aligner?: Aligner | null;
    alignWithinMs?: number;
    answerWithinMs?: number;
    live?: Pick<LiveSettings, 'sessionsPerAccount' | 'maxDurationMs'>;
  },
): Subgraph {
  const {
    translator,
    transcribers = ownTranscribers(platform, lifecycle),
    aligner = ownAligner(lifecycle),
    alignWithinMs = ALIGN_WITHIN_MS,
    live = liveEnvironment(),
  } = tools;
  const database = platform.database.slice(MEDIA_MODELS);
  const records = new MediaRecords(database);
  const transcripts = new Transcripts(records, platform.events, transcribers);
  const library = new MediaLibrary(records, transcripts, platform);
  const factRecords = new FactRecords(database);
  const facts = new MediaFacts(
    factRecords,
    platform,
    tools.answerWithinMs === undefined ? {} : { answerWithinMs: tools.answerWithinMs },
  );
  lifecycle.onStop('looks into recordings', () => facts[Symbol.asyncDispose]());
  const translations = new TranslationRecords(database);
  const derived = new DerivedJobs(translations, platform.events);
  const lineage = new LineageRecords(database);
  const engines = new EnginesNow(transcribers, translator);
  const freshness = new Freshness({ records, translations, lineage, engines });
  const transcodings = new Transcodings(records, facts, platform.events);
  const lengthOf = async (media: MediaRow): Promise<number | null> => (await facts.knownDetails(media)).durationMs;
  const speakers = new SpeakerRecords(database);
  const { events } = platform;
  const liveRecords = new LiveSessionRecords(database);
  const ingestTokens = new IngestTokens(platform.secret);
  const audio = new AudioStore(database, events, live);
  const ingest = createLiveIngest({
    tokens: ingestTokens,
    store: audio,
    notifications: platform.notifications,
    logger: platform.logger,
  });
  lifecycle.onStop('live writers', () => ingest.stop());
  const services = {
    records,
    transcripts,
    library,
    transcribers,
    events: platform.events,
    exportRecords: new ExportRecords(database),
    facts,
    factRecords,
    transcodings,
    renditions: new RenditionRecords(database),
    links: platform,
    exportJobs: new ExportJobRecords(database),
    translations,
    lineage,
    freshness,
    estimates: new Estimates(records, translations, lengthOf),
    reprocessing: new Reprocessing({ records, transcripts, derived, transcodings, freshness }),
    work: new MediaWork({ records, facts, transcripts, translations, translator, derived }),
    edits: new SegmentEdits(records, new EditRecords(database), platform, {
      aligner,
      withinMs: alignWithinMs,
    }),
    speakers,
    speakerNames: new SpeakerNames(records, speakers, platform.events),
    search: new Search(new SearchRecords(database)),
    liveRecords,
    liveSessions: new LiveSessions(liveRecords, events),
    liveStarts: new LiveStarts({
      sessions: liveRecords,
      transcribers,
      events,
      sessionsPerAccount: live.sessionsPerAccount,
    }),
    liveCalls: new LiveCalls(liveRecords, audio),
    ingestTokens,
  };
  return buildSubgraph({
    name: 'media',
    typeDefs: readRepositoryFile('subgraphs/media/schema.graphql'),
    resolvers,
    createContext: ({ identity, signal }) => createContext(services, identity, signal),
    logger: platform.logger,
    byteRoutes: [ingest.byteRoute],
    socketRoutes: [ingest.socketRoute],
    closeRoutes: () => ingest.stop(),
    ready: () => platform.database.ping(),
  });
}

function ownTranscribers(platform: Platform, lifecycle: Lifecycle): Transcribers {
  const transcribers = createTranscribers({ settings: speechEnvironment(), concurrency: 1, logger: platform.logger });
  lifecycle.onStop('speech engines', async () => transcribers[Symbol.asyncDispose]());
  return transcribers;
}

function ownAligner(lifecycle: Lifecycle): Aligner {
  const aligner = createPocketSphinxAligner();
  lifecycle.onStop('aligner', async () => aligner[Symbol.asyncDispose]());
  return aligner;
}
