import { parse } from 'graphql';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { SautiClient } from '../../client/client';

export interface SpokenWord {
  text: string;
  startMs: number;
  endMs: number;
}

export interface HeardSegment {
  id: string;
  revision: number;
  state: 'PARTIAL' | 'FINAL' | 'EDITED';
  text: string;
  stableWords: number;
  words: SpokenWord[];
}

/** A segment as it came. */
export interface Heard {
  /** When it came; milliseconds of `performance.now()`. */
  atMs: number;
  /** When it was written, by the database's clock; milliseconds since 1970. */
  writtenMs: number;
  segment: HeardSegment;
}

interface Event {
  liveTranscript:
    | { __typename: 'SegmentChanged'; at: string; segment: HeardSegment }
    | { __typename: 'LiveSessionChanged'; session: { state: string; error: { message: string } | null } }
    | { __typename: 'SpeechBoundary' | 'StreamGap' };
}

const SEGMENT = 'id revision state text stableWords words { text startMs endMs }';
const DOCUMENTS = {
  plain: documentWith(SEGMENT),
  translated: documentWith(`${SEGMENT} translation(to: "es") { text }`),
};

function documentWith(selection: string): TypedDocumentNode<Event, { id: string }> {
  return parse(`subscription ($id: ID!) { liveTranscript(sessionId: $id) { __typename
    ... on SegmentChanged { at segment { ${selection} } }
    ... on LiveSessionChanged { session { state error { message } } } } }`);
}

/** What one subscription was told. */
export class Reader {
  readonly heard: Heard[] = [];

  /** The final segments in the order of their first word. */
  finals(): Heard[] {
    const finals = this.heard.filter(({ segment }) => segment.state === 'FINAL' && segment.text !== '');
    return finals.sort((one, other) => one.segment.words[0]!.startMs - other.segment.words[0]!.startMs);
  }
}

/** A connection that reads a session from its beginning to its end, as often as is wanted. */
export class Listener implements AsyncDisposable {
  readonly readers: readonly Reader[];
  /** Resolves when the session has ended for every reader; rejects when it failed. */
  readonly ended: Promise<void>;
  private readonly client: SautiClient;

  constructor(
    endpoint: string,
    token: string,
    sessionId: string,
    how: keyof typeof DOCUMENTS = 'plain',
    subscriptions = 1,
  ) {
    this.client = new SautiClient(endpoint);
    this.client.useAccessToken(token);
    this.readers = Array.from({ length: subscriptions }, () => new Reader());
    this.ended = Promise.all(this.readers.map((reader) => this.listen(sessionId, how, reader))).then(() => {});
    this.ended.catch(() => undefined);
  }

  /** The first reader. */
  get reader(): Reader {
    return this.readers[0]!;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.client[Symbol.asyncDispose]();
  }

  private async listen(id: string, how: keyof typeof DOCUMENTS, { heard }: Reader): Promise<void> {
    for await (const { liveTranscript: event } of this.client.subscribe(DOCUMENTS[how], { id })) {
      if (event.__typename === 'SegmentChanged') {
        const { at, segment } = event;
        heard.push({ atMs: performance.now(), writtenMs: Date.parse(at), segment });
      }
      if (event.__typename !== 'LiveSessionChanged' || event.session.state !== 'FAILED') continue;
      throw new Error(`The session failed: ${event.session.error?.message ?? 'no reason given'}`);
    }
  }
}
