/**
 * The workload: a job whose lines are announced one by one, and a second subgraph that knows more about each line. What a
 * line says follows from its id, so whoever reads one can tell whether it is right.
 */

const LINK =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@composeDirective"])';

const STREAMS = `
  extend schema
    @link(url: "https://sauti.dev/specs/streams/v1.0", import: ["@eventStream", "@public"])
    @composeDirective(name: "@eventStream")
    @composeDirective(name: "@public")
  directive @eventStream(cursor: String, after: String, start: String = "now", snapshot: String, askSnapshot: String, gap: String, delivery: String = "all", key: String, scope: String = "viewer") on FIELD_DEFINITION
  directive @public on FIELD_DEFINITION | OBJECT
`;

const JOB_FIELDS = 'id: ID! seq: Int! at: Float! text: String! cursor: String!';
const WORD_FIELDS =
  'note: String! speaker: String! mood: String! topic: String! summary: String! translation(to: String!): Translation!';
const QUERY = 'type Query { version: String! }';

/** Schema text of each subgraph, in the order in which they are composed. */
export const SUBGRAPH_SCHEMAS = {
  jobs: `${LINK} ${STREAMS} ${QUERY}
    type Subscription {
      lines(job: ID!, after: String): Line! @eventStream(cursor: "cursor", after: "after", start: "now", scope: "public")
      plainLines(job: ID!): Line! @eventStream(scope: "public")
    }
    type Line @key(fields: "id") { ${JOB_FIELDS} }`,
  words: `${LINK} ${STREAMS}
    type Line @key(fields: "id") @public { id: ID! ${WORD_FIELDS} }
    type Translation @public { text: String! }`,
} as const;

/** The same as one schema, for a server without federation. */
export const RAW_SCHEMA = `${QUERY}
  type Subscription { lines(job: ID!, after: String): Line! plainLines(job: ID!): Line! }
  type Line { ${JOB_FIELDS} ${WORD_FIELDS} }
  type Translation { text: String! }`;

const WORDS = ['note', 'speaker', 'mood', 'topic', 'summary'] as const;

/** Resolvers of what the second subgraph adds to a line. */
export const WORD_RESOLVERS = {
  ...Object.fromEntries(WORDS.map((name) => [name, ({ id }: { id: string }) => wordOf(name, id)])),
  translation: ({ id }: { id: string }, { to }: { to: string }) => ({ text: wordOf(to, id) }),
};

function wordOf(name: string, id: string): string {
  return `${name} of line ${id}`;
}

/** One thing a subscriber may want to know of each line. */
export interface Selection {
  /** What stands between the braces; `seq`, `at` and `id` are always in it. */
  text: string;
  /** Every response key but `at`, `text` and `cursor` with its value, for the line of an id. */
  expected(id: string, seq: number): Record<string, unknown>;
}

/** Groups of selections; each subscriber takes one, in turns. */
export const SELECTIONS = {
  /** Nothing of the second subgraph. */
  text: [selectionOf('text', [])],
  /** The same for everybody, crossing into the second subgraph. */
  same: [selectionOf('text', ['note'])],
  /** Twenty different combinations of fields of the second subgraph. */
  mixed: Array.from({ length: 20 }, (_, index) =>
    selectionOf(
      '',
      WORDS.filter((_word, bit) => ((index + 1) >> bit) & 1),
    ),
  ),
  /** Twenty that also ask for one field with five different arguments under one name. */
  languages: Array.from({ length: 20 }, (_, index) =>
    selectionOf('', WORDS.slice(0, index % 4), ['de', 'fr', 'pt', 'sw', 'tr'][index % 5]),
  ),
} satisfies Record<string, Selection[]>;
export type SelectionGroup = keyof typeof SELECTIONS;

function selectionOf(more: string, words: readonly string[], language?: string): Selection {
  const translation = language === undefined ? '' : `translation(to: "${language}") { text }`;
  return {
    text: ['id seq at', more, ...words, translation].filter(Boolean).join(' '),
    expected: (id, seq) => ({
      id,
      seq,
      ...Object.fromEntries(words.map((word) => [word, wordOf(word, id)])),
      ...(language === undefined ? {} : { translation: { text: wordOf(language, id) } }),
    }),
  };
}

/** `lines` can be continued from a cursor of the subgraph, `plainLines` cannot. */
export type StreamName = 'lines' | 'plainLines';

export function documentOf(field: StreamName, { text }: Selection): string {
  return `subscription ($job: ID!) { ${field}(job: $job) { ${text} } }`;
}
