import type { Notifications } from '../../../../platform/database/notifications';
import type { Logger } from '../../../../platform/logger';
import type { ByteRoute, SocketRoute } from '../../../../platform/subgraph/subgraph';
import type { AudioStore } from './audio-store';
import { httpRoute } from './http';
import type { IngestTokens } from './ingest-token';
import { socketRoute } from './socket';
import { Writers } from './writers';

/** Time a writer has to say `start`; milliseconds. */
const START_MS = 3_000;
/** A body of which nothing comes for this long is given up: as long as it takes to notice a WebSocket that answers no ping. */
const BODY_IDLE_MS = 24_000;
/** Connections that send audio into one process at once; far more than it could recognize. */
const MAX_CONNECTIONS = 2_000;

/** What the connections share. */
export interface LiveIngestParts {
  tokens: IngestTokens;
  store: AudioStore;
  writers: Writers;
  logger: Logger;
  startWithinMs: number;
  bodyIdleMs: number;
}

/** The routes by which audio comes in. */
export interface LiveIngest {
  byteRoute: ByteRoute;
  socketRoute: SocketRoute;
  /** Lets all writers go, with what they have sent so far stored, and takes no new ones. */
  stop(): Promise<void>;
}

export function createLiveIngest(options: {
  tokens: IngestTokens;
  store: AudioStore;
  notifications: Notifications;
  logger: Logger;
  /** Default 3 s. */
  startWithinMs?: number;
  /** Default 24 s. */
  bodyIdleMs?: number;
  /** Default 2,000. */
  maxConnections?: number;
}): LiveIngest {
  const { tokens, store, notifications, logger, startWithinMs = START_MS, bodyIdleMs = BODY_IDLE_MS } = options;
  const { maxConnections = MAX_CONNECTIONS } = options;
  const writers = new Writers(notifications, maxConnections);
  const parts = { tokens, store, writers, logger, startWithinMs, bodyIdleMs };
  return { byteRoute: httpRoute(parts), socketRoute: socketRoute(parts), stop: () => writers.stop() };
}
