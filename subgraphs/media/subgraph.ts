import type { Lifecycle } from '../../platform/lifecycle';
import type { Platform } from '../../platform/platform';
import { readRepositoryFile } from '../../platform/root';
import { buildSubgraph } from '../../platform/subgraph/build-subgraph';
import type { Subgraph } from '../../platform/subgraph/subgraph';
import { DerivedJobs } from './asking/derived-jobs';
import { MediaWork } from './asking/work';
import { createContext } from './context';
import { MediaFacts } from './facts/facts';
import { FactRecords } from './facts/records';
import { ExportJobRecords } from './exporting/export-job-records';
import { ExportRecords } from './exports/export-records';
import { MediaLibrary } from './media';
import { MEDIA_MODELS, MediaRecords } from './records';
import { resolvers } from './resolvers/resolvers';
import { createTranscribers, type Transcribers } from './transcribers';
import { RenditionRecords } from './transcoding/rendition-records';
import { Transcodings } from './transcoding/transcodings';
import { Transcripts } from './transcripts';
import type { TextTranslator } from './translating/text-translator';
import { TranslationRecords } from './translating/translation-records';

/**
 * Recordings and what was said in them. Here it is only asked which engines there are; the worker runs them.
 * Engines made here are disposed by the lifecycle, those handed in by their owner.
 */
export function createMediaSubgraph(
  platform: Platform,
  lifecycle: Lifecycle,
  tools: { translator: TextTranslator; transcribers?: Transcribers },
): Subgraph {
  const { translator, transcribers = ownTranscribers(platform, lifecycle) } = tools;
  const database = platform.database.slice(MEDIA_MODELS);
  const records = new MediaRecords(database);
  const transcripts = new Transcripts(records, platform.events, transcribers);
  const library = new MediaLibrary(records, transcripts, platform);
  const factRecords = new FactRecords(database);
  const facts = new MediaFacts(factRecords, platform);
  lifecycle.onStop('looks into recordings', () => facts[Symbol.asyncDispose]());
  const translations = new TranslationRecords(database);
  const derived = new DerivedJobs(translations, platform.events);
  const services = {
    records,
    transcripts,
    library,
    transcribers,
    events: platform.events,
    exportRecords: new ExportRecords(database),
    facts,
    factRecords,
    transcodings: new Transcodings(records, facts, platform.events),
    renditions: new RenditionRecords(database),
    links: platform,
    exportJobs: new ExportJobRecords(database),
    translations,
    work: new MediaWork({ records, transcripts, translations, translator, derived }),
  };
  return buildSubgraph({
    name: 'media',
    typeDefs: readRepositoryFile('subgraphs/media/schema.graphql'),
    resolvers,
    createContext: ({ identity, signal }) => createContext(services, identity, signal),
    logger: platform.logger,
    ready: () => platform.database.ping(),
  });
}

function ownTranscribers(platform: Platform, lifecycle: Lifecycle): Transcribers {
  const transcribers = createTranscribers({ concurrency: 1, logger: platform.logger });
  lifecycle.onStop('speech engines', async () => transcribers[Symbol.asyncDispose]());
  return transcribers;
}
