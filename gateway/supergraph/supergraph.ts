import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { buildASTSchema, parse, type GraphQLSchema } from 'graphql';
import { readRequirements, type Requirements } from '../access/requirements';
import { readStreamFields, type StreamField } from './stream-field';
import { startPlanningThread, type PlanningThread } from '../plan/planning-thread';

/** A composed schema in the views the gateway needs, where its subgraphs are, and a thread that can plan on it. */
export interface LoadedSupergraph extends AsyncDisposable {
  sdl: string;
  /** Identifies the supergraph together with everything else that decides its plans: planner, settings, our rewrites. */
  hash: string;
  /** What clients may ask for: validation, variable coercion and introspection. Knows `@defer` when that is enabled. */
  apiSchema: GraphQLSchema;
  /** Every type including inaccessible ones: representations and rewrites test types against it. */
  fullSchema: GraphQLSchema;
  /** Names and routing URLs from `join__Graph`. */
  subgraphs: readonly { name: string; url: string }[];
  /** Labels of `@override(label:)`, each once. */
  labels: readonly string[];
  /** For each label the names of the fields whose subgraph it decides. */
  labelledFields: ReadonlyMap<string, ReadonlySet<string>>;
  /** Fields that plans select besides what the client does; see `SupergraphDescription.addedFields`. */
  addedFields: ReadonlyMap<string, readonly string[]>;
  /** Interfaces that some subgraph knows as object types (`@interfaceObject`). */
  interfaceObjects: ReadonlySet<string>;
  /** What fields and types demand of callers; undefined when nothing does. */
  requirements: Requirements | undefined;
  /** How the events of a subscription field are continued and delivered. */
  streamField: (field: string) => StreamField;
  /** Hands over the thread that loaded the supergraph; undefined when it was handed over before. The taker ends it. */
  takeThread(): PlanningThread | undefined;
}

export interface SupergraphOptions {
  /** Whether clients may use `@defer`. Default false. */
  defer?: boolean;
}

/**
 * Reads a supergraph SDL, in a thread: it takes longer than other requests should wait. Accepts what Apollo Router
 * accepts, also `@authenticated`, `@requiresScopes`, `@policy` and `@context`. Throws when the SDL is no supergraph.
 * Disposing ends the thread unless it was taken.
 */
export async function loadSupergraph(sdl: string, options: SupergraphOptions = {}): Promise<LoadedSupergraph> {
  const thread = await startPlanningThread(sdl);
  try {
    return await describe(sdl, thread, options);
  } catch (error) {
    await thread[Symbol.asyncDispose]();
    throw error;
  }
}

async function describe(sdl: string, started: PlanningThread, options: SupergraphOptions): Promise<LoadedSupergraph> {
  let thread: PlanningThread | undefined = started;
  const { apiSdl, subgraphs, overrides, addedFields, interfaceObjects, planner } = started.description;
  const apiSchema = buildSchema(options.defer ? `${apiSdl}\n${DEFER_SDL}` : apiSdl);
  await nextTurn(); // requests that arrived meanwhile need not wait for both schemas
  const fullSchema = buildSchema(sdl);
  const streamField = readStreamFields(sdl, fullSchema);
  const labelledFields = new Map<string, Set<string>>();
  for (const { label, field } of overrides) {
    labelledFields.set(label, (labelledFields.get(label) ?? new Set()).add(field));
  }
  return {
    sdl,
    hash: createHash('sha256').update(`${planner}\n${sdl}`).digest('hex'),
    apiSchema,
    fullSchema,
    subgraphs,
    labels: [...labelledFields.keys()],
    labelledFields,
    addedFields: new Map(addedFields),
    interfaceObjects: new Set(interfaceObjects),
    requirements: readRequirements(fullSchema),
    streamField,
    takeThread() {
      const taken = thread;
      thread = undefined;
      return taken;
    },
    [Symbol.asyncDispose]: async () => thread?.[Symbol.asyncDispose](),
  };
}

const DEFER_SDL = 'directive @defer(label: String, if: Boolean! = true) on FRAGMENT_SPREAD | INLINE_FRAGMENT';

/** The thread has validated both texts. */
function buildSchema(sdl: string): GraphQLSchema {
  return buildASTSchema(parse(sdl, { noLocation: true }), { assumeValidSDL: true });
}
