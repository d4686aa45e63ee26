/** What a planning thread is started with. */
export interface ThreadSettings {
  /** Text of the composed supergraph. */
  sdl: string;
}

/** What a thread says about its supergraph once it has loaded it: everything the main thread need not work out itself. */
export interface SupergraphDescription {
  /** What clients may ask for, as SDL without federation's own types and directives. */
  apiSdl: string;
  /** Names and routing URLs from `join__Graph`. */
  subgraphs: readonly { name: string; url: string }[];
  /** Fields whose subgraph depends on a label, from `join__field(overrideLabel:)`. */
  overrides: readonly { label: string; field: string }[];
  /**
   * Fields the planner adds to what a client selects (keys, `@requires`, `@fromContext`, `__typename`), each with the
   * texts of the arguments it is added with; '' for none.
   */
  addedFields: readonly (readonly [name: string, argumentTexts: readonly string[]])[];
  /** Interfaces that some subgraph knows as object types (`@interfaceObject`). */
  interfaceObjects: readonly string[];
  /** Identifies everything besides the supergraph that decides a plan: planner, its settings, our rewrites. */
  planner: string;
}

/** One operation to plan. */
export interface PlanJob {
  text: string;
  operationName: string | undefined;
  /** Override labels that are decided; the others are off. */
  labels: readonly (readonly [label: string, isActive: boolean])[];
}

/** The first message of a thread. */
export type LoadReply =
  { kind: 'loaded'; description: SupergraphDescription } | { kind: 'unreadable'; message: string };

/** Too many selections, no key that somebody can resolve, or a fault of the planner. */
export type PlanRefusal = 'too complex' | 'unresolvable' | 'impossible';

/** The answer to a job: a plan as JSON, or why there is none. `too complex` is the planner's own limit. */
export type PlanReply = { kind: 'planned'; plan: string } | { kind: 'refused'; reason: PlanRefusal; message: string };
