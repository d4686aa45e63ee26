import type { Lifecycle } from '../../platform/lifecycle';
import type { Platform } from '../../platform/platform';
import { readRepositoryFile } from '../../platform/root';
import { buildSubgraph } from '../../platform/subgraph/build-subgraph';
import type { Subgraph } from '../../platform/subgraph/subgraph';
import { createContext } from './context';
import { MediaFacts } from './facts/facts';
import { FactRecords } from './facts/records';
import { MediaLibrary } from './media';
import { MEDIA_MODELS, MediaRecords } from './records';
import { resolvers } from './resolvers/resolvers';
import { createTranscribers, type Transcribers } from './transcribers';
import { Transcripts } from './transcripts';

/**
 * Recordings and what was said in them. Here it is only asked which engines there are; the worker runs them.
 * Engines made here are disposed by the lifecycle, those handed in by their owner.
 */
export function createMediaSubgraph(platform: Platform, lifecycle: Lifecycle, given?: Transcribers): Subgraph {
  const transcribers = given ?? ownTranscribers(platform, lifecycle);
  const records = new MediaRecords(platform.database.slice(MEDIA_MODELS));
  const transcripts = new Transcripts(records, platform.events, transcribers);
  const library = new MediaLibrary(records, transcripts, platform);
  const factRecords = new FactRecords(platform.database.slice(MEDIA_MODELS));
  const facts = new MediaFacts(factRecords, platform);
  lifecycle.onStop('looks into recordings', () => facts[Symbol.asyncDispose]());
  const services = { records, transcripts, library, transcribers, events: platform.events, facts, factRecords };
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
