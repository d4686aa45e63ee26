import type { SelectionGroup, StreamName } from './workload';

/** Subscribers of one job. */
export interface AudienceSpec {
  port: number;
  job: string;
  sockets: number;
  perSocket: number;
  /** Each subscriber takes the next selection, and the next field. */
  selections: SelectionGroup;
  fields: StreamName[];
}

/** What the benchmark asks the load generator. Audiences have names. */
export type LoadRequest =
  | { kind: 'open'; audience: string; spec: AudienceSpec }
  | { kind: 'started'; audience: string; limitMs: number }
  | { kind: 'reached'; audience: string; seq: number; limitMs: number }
  | { kind: 'closed'; audience: string; limitMs: number }
  | { kind: 'resubscribe' | 'stall' | 'readAgain' | 'close'; audience: string }
  | { kind: 'figures'; audience: string; from: number; to: number }
  | { kind: 'tally'; audience: string; finalSeq: number };

export type LoadReply =
  { kind: 'done'; isSo: boolean; figures?: EventFigures[]; tally?: Tally } | { kind: 'failed'; reason: string };

export interface EventFigures {
  seq: number;
  /** Subscribers that have had the line. */
  received: number;
  /** From the announcement of the line to the moment when its last subscriber had it; null while it has not reached all. */
  lastMs: number | null;
}

/** What all subscribers of an audience saw. */
export interface Tally {
  lost: number;
  repeated: number;
  outOfOrder: number;
  /** Messages other than the line that was asked for: errors, other data, an end. */
  wrong: number;
  wrongExample: string | null;
  /** Connections that the server closed, by code. */
  closes: Record<string, number>;
  /** Of these, those that had been told a cursor to go on from. */
  closedWithCursor: number;
}
