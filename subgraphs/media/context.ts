import DataLoader from 'dataloader';
import type { EventLog } from '../../platform/events/event-log';
import { isId, type IdPrefix } from '../../platform/ids';
import type { CallIdentity, Viewer } from '../../platform/identity/viewer';
import type { Job } from '../../platform/jobs/job';
import type { SegmentEdits } from './editing/segment-edits';
import type { ExportRecords } from './exports/export-records';
import type { MediaLibrary } from './media';
import type { MediaRecords, MediaRow, SegmentRow, TranscriptRow } from './records';
import type { Search } from './search/search';
import type { SpeakerNames } from './speakers/rename-speaker';
import type { SpeakerRecords, SpeakerRow } from './speakers/speaker-records';
import type { Transcribers } from './transcribers';
import type { Transcripts } from './transcripts';

export interface MediaServices {
  library: MediaLibrary;
  transcripts: Transcripts;
  records: MediaRecords;
  transcribers: Transcribers;
  events: EventLog;
  exportRecords: ExportRecords;
  edits: SegmentEdits;
  speakers: SpeakerRecords;
  speakerNames: SpeakerNames;
  search: Search;
}

/** What one request carries. */
export interface MediaContext extends MediaServices {
  viewer: Viewer | null;
  loaders: Loaders;
  signal: AbortSignal;
}

/** Rows of the viewer by id; null for an unknown or a foreign id. */
interface Loaders {
  ownMedia: DataLoader<string, MediaRow | null>;
  ownTranscript: DataLoader<string, TranscriptRow | null>;
  ownSegment: DataLoader<string, SegmentRow | null>;
  ownJob: DataLoader<string, Job | null>;
  /** By the id of a recording that the viewer has been found to own; newest first. */
  transcriptsOfMedia: DataLoader<string, TranscriptRow[]>;
  /** By the id of a transcript that the viewer has been found to own; in the order of their first word. */
  speakersOfTranscript: DataLoader<string, SpeakerRow[]>;
  /** By the id that a segment of the viewer names; null when that speaker has become one with another. */
  speaker: DataLoader<string, SpeakerRow | null>;
  /** By the id of a transcript that the viewer has been found to own. */
  textOfTranscript: DataLoader<string, string>;
}

export function createContext(services: MediaServices, identity: CallIdentity, signal: AbortSignal): MediaContext {
  return { ...services, viewer: identity.viewer, loaders: createLoaders(services, identity.viewer), signal };
}

function createLoaders({ records, speakers }: MediaServices, viewer: Viewer | null): Loaders {
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
    ownJob: own('job', (ids, ownerId) => records.jobsByIds(ids, ownerId)),
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
      return ids.map((id) =>
        rows
          .filter((row) => row.transcriptId === id)
          .map((row) => row.text)
          .join('\n'),
      );
    }),
  };
}
