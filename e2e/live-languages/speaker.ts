import { EventTopic } from '../../gateway/testing/event-topic';
import { silentLogger } from '../../platform/logger';
import { readRepositoryFile } from '../../platform/root';
import { buildSubgraph } from '../../platform/subgraph/build-subgraph';
import type { Subgraph, SubgraphCallOptions } from '../../platform/subgraph/subgraph';

/** Somebody who speaks: in place of the media subgraph, with its schema. */
export class Speaker {
  readonly #topic = new EventTopic('said');
  readonly #segments: object[] = [];
  /** How often somebody began to listen. */
  listeners = 0;

  /** One more version of the sentence. */
  say(text: string, stableWords: number, state: 'PARTIAL' | 'FINAL'): void {
    const revision = this.#segments.length + 1;
    this.#segments.push({ id: 'seg_1', language: 'en', revision, state, text, stableWords });
    this.#topic.append();
  }

  async *listen(signal: AbortSignal) {
    this.listeners++;
    for await (const event of this.#topic.read(0, signal)) {
      if ('lost' in event) throw new Error('Nothing is ever removed.');
      const segment = this.#segments[event.seq - 1];
      yield { liveTranscript: { __typename: 'SegmentChanged', cursor: String(event.seq), isSnapshot: false, segment } };
    }
  }

  asSubgraph(): Subgraph {
    return buildSubgraph<SubgraphCallOptions>({
      name: 'media',
      typeDefs: readRepositoryFile('subgraphs/media/schema.graphql'),
      resolvers: {
        Subscription: {
          liveTranscript: {
            subscribe: (_: unknown, __: unknown, { signal }: SubgraphCallOptions) => this.listen(signal),
          },
        },
      },
      createContext: (call) => call,
      logger: silentLogger,
      ready: async () => {},
    });
  }
}
