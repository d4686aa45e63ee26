import DataLoader from 'dataloader';
import type { EventLog } from '../../platform/events/event-log';
import { isId, type IdPrefix } from '../../platform/ids';
import type { CallIdentity, Viewer } from '../../platform/identity/viewer';
import type { Job } from '../../platform/jobs/job';
import type { Platform } from '../../platform/platform';
import type { MediaFacts } from './facts/facts';
import type { FactRecords, MediaDetails } from './facts/records';
import type { MediaWork } from './asking/work';
import type { Estimates } from './estimating/estimates';
import type { ExportJobRecords } from './exporting/export-job-records';
import type { SegmentEdits } from './editing/segment-edits';
import type { ExportRecords } from './exports/export-records';
import type { Freshness } from './lineage/freshness';
import type { LineageRecords, LineageRow } from './lineage/lineage-records';
import type { Reprocessing } from './lineage/reprocessing';
import type { IngestTokens } from './live/ingest/ingest-token';
import type { LiveCalls } from './live/live-calls';
import type { LiveSessionRecords } from './live/session-records';
import type { LiveSessions, ShownSession } from './live/sessions';
import type { LiveStarts } from './live/start-session';
import type { MediaLibrary } from './media';
import type { MediaRecords, MediaRow, SegmentRow, TranscriptRow } from './records';
import type { Search } from './search/search';
import type { SpeakerNames } from './speakers/rename-speaker';
import type { SpeakerRecords, SpeakerRow } from './speakers/speaker-records';
import type { Transcribers } from './transcribers';
import type { RenditionRecords, RenditionRow } from './transcoding/rendition-records';
import type { Transcodings } from './transcoding/transcodings';
import type { Transcripts } from './transcripts';
import type { TranslationRecords, TranslationRow } from './translating/translation-records';

export interface MediaServices {
  library: MediaLibrary;
  transcripts: Transcripts;
  records: MediaRecords;
  transcribers: Transcribers;
  events: EventLog;
  facts: MediaFacts;
  factRecords: FactRecords;
  transcodings: Transcodings;
  renditions: RenditionRecords;
  /** What links are made with. */
  links: Pick<Platform, 'secret' | 'filesUrl' | 'publicUrl'>;
  exportRecords: ExportRecords;
  exportJobs: ExportJobRecords;
  translations: TranslationRecords;
  lineage: LineageRecords;
  freshness: Freshness;
  estimates: Estimates;
  work: MediaWork;
  reprocessing: Reprocessing;
  edits: SegmentEdits;
  speakers: SpeakerRecords;
  speakerNames: SpeakerNames;
  search: Search;
  liveStarts: LiveStarts;
  liveSessions: LiveSessions;
  liveRecords: LiveSessionRecords;
  liveCalls: LiveCalls;
  ingestTokens: IngestTokens;
}

/** What one request carries. */
export interface MediaContext extends MediaServices {
  viewer: Viewer | null;
  loaders: Loaders;
  signal: AbortSignal;
}

/** Rows of the viewer by id; null for an unknown or a foreign id. */
export interface Loaders {
  ownMedia: DataLoader<string, MediaRow | null>;
  ownTranscript: DataLoader<string, TranscriptRow | null>;
  ownSegment: DataLoader<string, SegmentRow | null>;
  ownTranslation: DataLoader<string, TranslationRow | null>;
  ownJob: DataLoader<string, Job | null>;
  ownRendition: DataLoader<string, RenditionRow | null>;
  ownLiveSession: DataLoader<string, ShownSession | null>;
  /** What the headers and tags of a recording say, found out when nobody has asked before. */
  details: DataLoader<MediaRow, MediaDetails, string>;
  /** By a job that the viewer has been found to own: those it needs. */
  neededJobs: DataLoader<string, Job[]>;
  /** By a job that the viewer has been found to own: the id of the file it has rendered. */
  fileOfJob: DataLoader<Pick<Job, 'id' | 'subjectId'>, string | null, string>;
  /** By the id of a recording that the viewer has been found to own; newest first. */
  transcriptsOfMedia: DataLoader<string, TranscriptRow[]>;
  /** By the id of a transcript that the viewer has been found to own; in the order of their first word. */
  speakersOfTranscript: DataLoader<string, SpeakerRow[]>;
  /** By the id that a segment of the viewer names; null when that speaker has become one with another. */
  speaker: DataLoader<string, SpeakerRow | null>;
  /** By the id of a recording that the viewer has been found to own; newest first. */
  renditionsOfMedia: DataLoader<string, RenditionRow[]>;
  /** By the id of a transcript that the viewer has been found to own. */
  textOfTranscript: DataLoader<string, string>;
  /** By the id of a transcript that the viewer has been found to own. */
  translationsOfTranscript: DataLoader<string, TranslationRow[]>;
  /** By the id of a translation that the viewer has been found to own. */
  textOfTranslation: DataLoader<string, string>;
  staleSegments: DataLoader<string, number>;
  /** By the id of a recording that the viewer has been found to own; newest first. */
  lineageOfMedia: DataLoader<string, LineageRow[]>;
  /** By the id of a recording of the viewer: which of its results are stale. */
  staleOutputs: DataLoader<string, ReadonlySet<string>>;
}

export function createContext(services: MediaServices, identity: CallIdentity, signal: AbortSignal): MediaContext {
  return { ...services, viewer: identity.viewer, loaders: createLoaders(services, identity.viewer), signal };
}

function createLoaders(services: MediaServices, viewer: Viewer | null): Loaders {
  const { records, speakers, facts, factRecords, renditions, translations, exportJobs, lineage, freshness } = services;
  const { liveSessions } = services;
  const own = <Row extends { id: string }>(
    prefix: IdPrefix,
    read: (ids: readonly string[], ownerId: string) => Promise<Row[]>,
  ) =>
    new DataLoader<string, Row | null>(async (ids) => {
      const possible = ids.filter((id) => isId(prefix, id));
      const rows = viewer && possible.length > 0 ? await read(possible, viewer.userId) : [];
      const byId = new Map(rows.map((row) => [row.id, row]));
      return ids.map((id) => byId.get(id) ?? null);
    });
  return {
    ownMedia: own('med', (ids, ownerId) => records.mediaByIds(ids, ownerId)),
    ownTranscript: own('trn', (ids, ownerId) => records.transcriptsByIds(ids, ownerId)),
    ownSegment: own('seg', (ids, ownerId) => records.segmentsByIds(ids, ownerId)),
    ownTranslation: own('ttr', (ids, ownerId) => translations.byIds(ids, ownerId)),
    ownJob: own('job', (ids, ownerId) => records.jobsByIds(ids, ownerId)),
    ownRendition: own('rnd', (ids, ownerId) => renditions.byIds(ids, ownerId)),
    ownLiveSession: own('liv', (ids, ownerId) => liveSessions.byIds(ids, ownerId)),
    renditionsOfMedia: new DataLoader(async (ids) => {
      const rows = await renditions.ofMedia(ids);
      return ids.map((id) => rows.filter((row) => row.mediaId === id));
    }),
    details: new DataLoader(
      async (recordings) => {
        const known = await factRecords.details(recordings.map(({ id }) => id));
        return Promise.all(recordings.map(async (media) => known.get(media.id) ?? facts.details(media)));
      },
      { cacheKeyFn: ({ id }) => id },
    ),
    transcriptsOfMedia: new DataLoader(async (ids) => {
      const rows = await records.transcriptsOfMedia(ids);
      return ids.map((id) => rows.filter((row) => row.mediaId === id));
    }),
    speakersOfTranscript: new DataLoader(async (ids) => {
      const rows = await speakers.ofTranscripts(ids);
      return ids.map((id) => rows.filter((row) => row.transcriptId === id));
    }),
    speaker: new DataLoader(async (ids) => {
      const rows = await speakers.byIds(ids);
      return ids.map((id) => rows.find((row) => row.id === id) ?? null);
    }),
    textOfTranscript: new DataLoader(async (ids) => {
      const rows = await records.segmentTexts(ids);
      return ids.map((id) => joined(rows.filter((row) => row.transcriptId === id)));
    }),
    neededJobs: new DataLoader(async (ids) => {
      const needed = await records.neededJobs(ids);
      return ids.map((id) => needed.get(id) ?? []);
    }),
    fileOfJob: new DataLoader(
      async (jobs) => {
        const files = await exportJobs.filesOfJobs(jobs);
        return jobs.map(({ id }) => files.get(id) ?? null);
      },
      { cacheKeyFn: ({ id }) => id },
    ),
    translationsOfTranscript: new DataLoader(async (ids) => {
      const rows = await translations.ofTranscripts(ids);
      return ids.map((id) => rows.filter((row) => row.transcriptId === id));
    }),
    textOfTranslation: new DataLoader(async (ids) => {
      const rows = await translations.texts(ids);
      return ids.map((id) => joined(rows.filter((row) => row.translationId === id)));
    }),
    staleSegments: new DataLoader(async (ids) => {
      const stale = await translations.staleSegments(ids);
      return ids.map((id) => stale.get(id) ?? 0);
    }),
    lineageOfMedia: new DataLoader(async (ids) => {
      const rows = await lineage.ofMedia(ids);
      return ids.map((id) => rows.filter((row) => row.mediaId === id));
    }),
    staleOutputs: new DataLoader(async (ids) => {
      const recordings = viewer ? await records.mediaByIds(ids, viewer.userId) : [];
      const derivations = await freshness.derivationsOf(recordings);
      const found = await Promise.all(
        derivations.map(async (all) => [all.media.id, await freshness.staleOutputs(all)] as const),
      );
      const stale = new Map(found);
      return ids.map((id) => stale.get(id) ?? new Set());
    }),
  };
}

function joined(rows: readonly { text: string }[]): string {
  return rows.map(({ text }) => text).join('\n');
}
