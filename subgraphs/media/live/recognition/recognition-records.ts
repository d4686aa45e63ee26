import type { LiveEncoding, LiveState } from '../live-session';
import { transcriptTopic, type TranscriptEvent } from '../../events';
import { newId } from '../../../../platform/ids';
import { asSegmentRow, type MediaDatabase, type SegmentRow } from '../../records';
import type { LiveCheckpoint } from './checkpoint';

/** A session as one worker has claimed it: whoever claims it next has another epoch, and then nothing is written here any more. */
export interface Claim {
  sessionId: string;
  transcriptId: string;
  ownerId: string;
  epoch: number;
}

/** Another worker has the session, it has ended, or it is gone: what this one still writes must not count. */
export class SessionLost extends Error {
  constructor(sessionId: string) {
    super(`The live session ${sessionId} is another worker's now.`);
    this.name = 'SessionLost';
  }
}

export interface AudioRow {
  row: number;
  fromByte: number;
  bytes: Uint8Array;
  flush: boolean;
}

/** What is stored behind a row, and whether more may come. */
export interface AudioPage {
  state: LiveState;
  isComplete: boolean;
  storedBytes: number;
  rows: AudioRow[];
}

/** What one statement writes; all of it or, when the session is lost, nothing. */
export interface Writing {
  heardBytes: number;
  checkpoint: LiveCheckpoint | null;
  /** Put where they are, unless a person has corrected them. */
  segments: readonly SegmentRow[];
  /** PARTIAL ones that are no speech after all. */
  removedIds: readonly string[];
  /** Told in this order. */
  events: readonly TranscriptEvent[];
}

/** Rows read at once. */
const PAGE = 16;

/** What the run of one session reads and writes; everything throws {@link SessionLost}. */
export class RecognitionRecords {
  constructor(
    private readonly database: MediaDatabase & Pick<MediaTransactionLike, '$queryRaw'>,
    readonly claim: Claim,
  ) {}
}
