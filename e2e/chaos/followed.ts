import type { StreamFrame } from './transports/transport';

/** How a reader tells where it goes on: by the frame's `extensions.cursor`, or by the field's own cursor and `after`. */
export const RESUMES = ['extensions', 'after'] as const;
export type Resume = (typeof RESUMES)[number];

/** A stream that readers follow. */
export interface Followed {
  /** Name in the event log. */
  topic: string;
  field: 'transcriptEvents' | 'jobEvents';
  /** The operation's text; with `crossing` it selects fields of another subgraph, which may be null. */
  query: (resume: Resume, crossing: boolean) => string;
  variables: Record<string, unknown>;
  /** Where reading begins; undefined: at the beginning. */
  start: string | undefined;
}

export function transcriptStream(transcriptId: string): Followed {
  return {
    topic: `transcript:${transcriptId}`,
    field: 'transcriptEvents',
    variables: { id: transcriptId },
    start: undefined,
    query(resume, crossing) {
      const [declared, given, cursor] = partsOf(resume);
      const translation = crossing ? 'crossing: translation(to: "es") { text }' : '';
      return `subscription Chaos($id: ID!${declared}) { transcriptEvents(transcriptId: $id${given}) { __typename ${cursor}
        ... on SegmentChanged { segment { startMs ${translation} } } } }`;
    },
  };
}

/** All jobs of the viewer behind `start`, a cursor that the query `jobs` has given. */
export function jobStream(ownerId: string, start: string): Followed {
  return {
    topic: `jobs:${ownerId}`,
    field: 'jobEvents',
    variables: {},
    start,
    query(resume, crossing) {
      const [declared, given, cursor] = partsOf(resume);
      const subject = crossing ? 'crossing: subject { ... on Media { owner { profile { displayName } } } }' : '';
      return `subscription Chaos${declared && `(${declared.slice(2)})`} { jobEvents${given && `(${given.slice(2)})`} { __typename ${cursor}
        ... on JobSummary { jobId state attempt ${subject} } } }`;
    },
  };
}

function partsOf(resume: Resume): [declared: string, given: string, cursor: string] {
  if (resume === 'extensions') return ['', '', ''];
  return [', $after: String', ', after: $after', '... on StreamEvent { cursor }'];
}

/** One event as a reader sees it. */
export interface SeenEvent {
  cursor: string | undefined;
  isGap: boolean;
  /** What crosses into another subgraph was asked for and is not there. */
  isNulled: boolean;
  /** For segments: where it begins. */
  startMs: number | undefined;
}

/** Null for a frame without an event. */
export function eventOf({ field }: Followed, frame: StreamFrame, resume: Resume): SeenEvent | null {
  const event = frame.data?.[field] as
    | { __typename: string; cursor?: string; segment?: { startMs: number; crossing?: unknown }; crossing?: unknown }
    | null
    | undefined;
  const isGap = frame.extensions?.gap !== undefined || event?.__typename === 'StreamGap';
  if (!event && !isGap) return null;
  return {
    cursor: resume === 'extensions' ? frame.extensions?.cursor : event?.cursor,
    isGap,
    isNulled: event?.crossing === null || event?.segment?.crossing === null,
    startMs: event?.segment?.startMs,
  };
}
