import type { Transport } from '../fetch/transport';
import type { CurrentGeneration } from '../generation';
import type { Page } from './handler';
import { sendJson } from './responses';

/** How long one subgraph may take to say that it is ready. */
const PROBE_MS = 3_000;
/** Answers are kept this long, so that asking often costs the subgraphs nothing. */
const KEEP_MS = 1_000;

/** The process runs; says nothing about what it needs. */
export const healthPage: Page = (_request, response) => sendJson(response, 200, { status: 'ok' });

/**
 * Whether the gateway can answer: lists each subgraph. 503 when one does not answer or while the gateway stops. The
 * reasons are in the log.
 */
export function readyPage(current: CurrentGeneration, isStopping: () => boolean): Page {
  let kept: { at: number; states: Promise<Record<string, boolean>> } | undefined;
  return async (_request, response) => {
    if (!kept || performance.now() - kept.at > KEEP_MS)
      kept = { at: performance.now(), states: probe(current().transports) };
    const subgraphs = await kept.states;
    const isReady = !isStopping() && Object.values(subgraphs).every(Boolean);
    sendJson(response, isReady ? 200 : 503, {
      status: isReady ? 'ready' : isStopping() ? 'stopping' : 'not ready',
      subgraphs,
    });
  };
}

async function probe(transports: ReadonlyMap<string, Transport>): Promise<Record<string, boolean>> {
  const states = [...transports].map(async ([name, transport]) => {
    const isReady = await transport.ready(AbortSignal.timeout(PROBE_MS)).then(
      () => true,
      () => false,
    );
    return [name, isReady] as const;
  });
  return Object.fromEntries(await Promise.all(states));
}
