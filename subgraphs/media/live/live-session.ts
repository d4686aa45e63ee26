import type { LiveSession } from '../../../platform/database/prisma-client/client';

export type { LiveEncoding, LiveState } from '../../../platform/database/prisma-client/client';

/** A live session as its row says; what is in events has no more than {@link LiveSessionSnapshot}. */
export type LiveSessionRow = LiveSession;

/** What of a session can change and is told in an event, as JSON. */
export interface LiveSessionSnapshot extends Pick<
  LiveSessionRow,
  'state' | 'acknowledgedSequence' | 'mediaId' | 'errorCode' | 'errorMessage'
> {
  /** ISO 8601. */
  startedAt: string | null;
  endedAt: string | null;
  /** As a number, because JSON has no other: exact up to 9 petabytes. */
  storedBytes: number;
}

/** Nothing comes behind these. */
const FINAL_LIVE_STATES = ['ENDED', 'FAILED'] as const satisfies readonly LiveSessionRow['state'][];

/**
 * Sessions in these states hold one of the workers' places. A PAUSED one holds none, so that an open microphone that sends
 * nothing keeps nobody out.
 */
export const PLACE_HOLDING_STATES = ['WAITING', 'LIVE', 'ENDING'] as const satisfies readonly LiveSessionRow['state'][];

export function liveSessionSnapshot(row: LiveSessionRow): LiveSessionSnapshot {
  const { state, acknowledgedSequence, mediaId, errorCode, errorMessage, startedAt, endedAt, storedBytes } = row;
  return {
    state,
    acknowledgedSequence,
    mediaId,
    errorCode,
    errorMessage,
    startedAt: startedAt?.toISOString() ?? null,
    endedAt: endedAt?.toISOString() ?? null,
    storedBytes: Number(storedBytes),
  };
}

/** The session as it was when a snapshot was taken: what cannot change is the same in every row of it. */
export function sessionAt(row: LiveSessionRow, snapshot: LiveSessionSnapshot): LiveSessionRow {
  const { startedAt, endedAt, storedBytes, ...rest } = snapshot;
  return {
    ...row,
    ...rest,
    startedAt: startedAt === null ? null : new Date(startedAt),
    endedAt: endedAt === null ? null : new Date(endedAt),
    storedBytes: BigInt(storedBytes),
  };
}

/** Whether nothing comes behind this. */
export function isFinalLiveState(state: LiveSessionRow['state']): boolean {
  return (FINAL_LIVE_STATES as readonly LiveSessionRow['state'][]).includes(state);
}
