import { getDirectiveValues, type GraphQLSchema } from 'graphql';

/**
 * How the events of one subscription field are told from each other, continued and delivered: what `@eventStream` says in
 * the schema of its subgraph (docs/subscriptions.md). Every name is one of the subgraph's schema.
 */
export interface StreamField {
  /** The field of the events that holds the cursor; undefined: the gateway counts events itself. */
  cursor: string | undefined;
  /** The argument that takes a cursor to continue from. Only together with `cursor`. */
  after: string | undefined;
  /** What comes without a cursor: the first event there ever was, the present state and then events, or only what happens from now on. */
  start: StreamStart;
  /** The Boolean field of the events that is true for those that tell the present state and no change. */
  snapshot: string | undefined;
  /** The Boolean argument that asks to begin with the present state, where that is not so anyway. */
  askSnapshot: string | undefined;
  /** The type of events that say that others were lost; it has the fields `reason` and `missed`. */
  gap: string | undefined;
  /** Whether every event is delivered, or only the newest of each `key` while a client is slow. */
  delivery: Delivery;
  /** The field of the events that tells which of them replace each other. Without it all of them do. */
  key: string | undefined;
  /** With whom a subscriber shares the stream: those of the same viewer, everybody, or nobody. */
  scope: StreamScope;
}

export type StreamStart = 'now' | 'beginning' | 'snapshot';
export type Delivery = 'all' | 'latest';
export type StreamScope = 'viewer' | 'public' | 'subscriber';

/** Of a field without the directive. */
const DEFAULT: StreamField = {
  cursor: undefined,
  after: undefined,
  start: 'now',
  snapshot: undefined,
  askSnapshot: undefined,
  gap: undefined,
  delivery: 'all',
  key: undefined,
  scope: 'viewer',
};

const DIRECTIVE = 'eventStream';
const SPECIFICATION = 'https://sauti.dev/specs/streams/';

/**
 * Reads the settings of every subscription field from a supergraph (`sdl`, and `schema` with the directives in it). A
 * directive of this name that is not linked to the specification is somebody else's. Throws when a setting has no
 * meaning, with the name of the field.
 */
export function readStreamFields(sdl: string, schema: GraphQLSchema): (field: string) => StreamField {
  const directive = sdl.includes(SPECIFICATION) ? schema.getDirective(DIRECTIVE) : undefined;
  const fields = new Map<string, StreamField>();
  for (const [name, { astNode }] of Object.entries(schema.getSubscriptionType()?.getFields() ?? {})) {
    const given = directive && astNode ? getDirectiveValues(directive, astNode) : undefined;
    if (given) fields.set(name, checked(name, given));
  }
  return (field) => fields.get(field) ?? DEFAULT;
}

function checked(field: string, given: Record<string, unknown>): StreamField {
  const fail = (what: string): never => {
    throw new Error(`@eventStream of Subscription.${field}: ${what}`);
  };
  const name = (key: string): string | undefined => (typeof given[key] === 'string' ? given[key] : undefined);
  const oneOf = <Value extends string>(key: string, values: readonly Value[]): Value =>
    values.find((value) => value === (given[key] ?? values[0])) ?? fail(`"${key}" must be ${values.join(' or ')}.`);
  const stream: StreamField = {
    cursor: name('cursor'),
    after: name('after'),
    start: oneOf<StreamStart>('start', ['now', 'beginning', 'snapshot']),
    snapshot: name('snapshot'),
    askSnapshot: name('askSnapshot'),
    gap: name('gap'),
    delivery: oneOf<Delivery>('delivery', ['all', 'latest']),
    key: name('key'),
    scope: oneOf<StreamScope>('scope', ['viewer', 'public', 'subscriber']),
  };
  if (!stream.cursor !== !stream.after) fail('"cursor" and "after" need each other.');
  if (stream.start !== 'now' && !stream.cursor) fail(`"start: ${stream.start}" needs "cursor" and "after".`);
  return stream;
}
