import { setTimeout } from 'node:timers/promises';
import { createDocuments, type Documents } from './documents/documents';
import { createEngine, type Engine } from './engine';
import { createTransports, disposeTransports, type SharedTransports } from './fetch/transports';
import type { Transport } from './fetch/transport';
import { limitRules } from './limits';
import type { GatewayLimits, GatewayOptions } from './options';
import { createAdmission, type Admission } from './rate-limits/admission';
import { filePlanStore } from './plan/plan-store';
import { loadSupergraph, type LoadedSupergraph } from './supergraph/supergraph';
import { operationRules } from './documents/subscription-rules';

/** Everything that belongs to one supergraph. A gateway that changes its supergraph replaces all of it at once. */
export interface Generation {
  supergraph: LoadedSupergraph;
  transports: ReadonlyMap<string, Transport>;
  engine: Engine;
  documents: Documents;
  /** Undefined where nothing is counted. */
  admission: Admission | undefined;
  /** Ends planning and closes connections. What still runs fails. */
  end: () => Promise<void>;
}

/** The generation that answers new operations. */
export type CurrentGeneration = () => Generation;

/** How long a new supergraph may be held back while the operations in use are planned for it. */
const WARM_UP_MS = 10_000;

/** Loads a supergraph. Rejects when it cannot be read or a subgraph has no address; then nothing of it is kept. */
export async function createGeneration(
  supergraphSdl: string,
  options: GatewayOptions,
  limits: GatewayLimits,
  shared: SharedTransports,
): Promise<Generation> {
  const supergraph = await loadSupergraph(supergraphSdl, { defer: true });
  let transports: ReadonlyMap<string, Transport> = new Map();
  try {
    transports = await createTransports(supergraph, options, limits, shared);
    return assemble({ supergraph, transports }, options, limits);
  } catch (error) {
    await supergraph[Symbol.asyncDispose]();
    await disposeTransports(transports);
    throw error;
  }
}

function assemble(
  { supergraph, transports }: Pick<Generation, 'supergraph' | 'transports'>,
  options: GatewayOptions,
  limits: GatewayLimits,
): Generation {
  const { logger, development, introspection = development, planning = {} } = options;
  const documents = createDocuments({
    schema: supergraph.apiSchema,
    rules: [...operationRules, ...limitRules(limits, { introspection })],
    limits,
    suggestions: development,
    cacheSize: limits.planCacheSize,
  });
  const admission = options.rateLimits && createAdmission(supergraph, options.rateLimits, logger);
  // The last part: it takes over the thread of the supergraph, which would have to be ended with it.
  const engine = createEngine({
    supergraph,
    transports,
    logger,
    limits,
    planning,
    store: planning.store ? filePlanStore({ directory: planning.store, logger }) : undefined,
    overrideLabels: new Set(options.overrideLabels),
    authorization: options.authorization ?? {},
    showsAllMessages: development,
  });
  const end = async (): Promise<void> => {
    await engine[Symbol.asyncDispose]();
    await disposeTransports(transports);
  };
  let ended: Promise<void> | undefined;
  return { supergraph, transports, engine, documents, admission, end: () => (ended ??= end()) };
}

/** Plans what clients of the generation before are using, so that the change costs them nothing; less of it when `signal` aborts. */
export async function warmUp(next: Generation, before: Generation, signal: AbortSignal): Promise<void> {
  await next.engine.warm(before.engine.inUse(), AbortSignal.any([signal, AbortSignal.timeout(WARM_UP_MS)]));
}

/** How long nothing may have run before a generation is ended: a request may be between its validation and its run. */
const QUIET_MS = 1_000;

/** Ends a generation after what runs on it; subscriptions have moved to the next one before. */
export async function retire({ engine, end }: Generation): Promise<void> {
  do {
    await engine.idle();
    await setTimeout(QUIET_MS, undefined, { ref: false });
  } while (engine.isRunning());
  await end();
}
