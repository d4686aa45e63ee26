import type { CompiledOperation } from '../compile/compile-operation';
import { SubgraphError } from '../fetch/transport';
import type { Generation } from '../generation';
import type { Asker } from '../operations/operations';
import type { Placement } from './reader';
import type { StreamServices } from './stream';
import { StreamGroup } from './stream-group';
import type { SubscribeRequest } from './subscriptions';

/** Finds for subscriptions what they can share with others. */
export interface Placements {
  of(subscription: SubscribeRequest): Placement;
  close(): void;
}

/** Nobody, for what is the same for everybody. */
const ANYBODY: Asker = { identity: { viewer: null, requestId: 'stream' }, authorization: undefined };

/**
 * Shares a stream between all who ask the subgraph for the same, in the same name unless the schema says that names do
 * not matter, and answers between those whose operations are the same, too.
 */
export function createPlacements(services: StreamServices): Placements {
  const groups = new Map<string, StreamGroup>();
  const ids = new ObjectIds();
  return {
    of({ prepared, generation, asker, payload }) {
      const { compiled, variables } = prepared;
      const source = compiled.source!;
      const transport = generation.transports.get(source.subgraph);
      if (!transport) throw new SubgraphError('SUBGRAPH_UNAVAILABLE', 'no transport has this name');
      const { scope: sharing } = source.field;
      // What is demanded of callers is not the same for everybody.
      const isPublic = sharing === 'public' && compiled.rules.length === 0;
      const asked = `${source.text}\n${textOf(source.variables, variables)}`;
      const sharers = isPublic
        ? ''
        : sharing === 'subscriber'
          ? `${ids.of(payload)} ${transport.scopeOf(asker)}`
          : transport.scopeOf(asker);
      const groupKey = `${ids.of(transport)}\n${sharers}\n${asked}`;
      const isForAll = isPublic && compiled.answersArePublic;
      const scope = isForAll ? '' : scopeIn(generation, asker);
      const mergeKey = `${ids.of(generation)}\n${scope}`;
      const known = groups.get(groupKey);
      const group =
        known ??
        new StreamGroup(
          {
            source,
            transport,
            variables,
            asker: isPublic ? ANYBODY : asker,
            subject: source.subjectOf(variables),
          },
          services,
          { used: (used) => groups.set(groupKey, used), unused: () => groups.delete(groupKey) },
        );
      return {
        group,
        groupKey,
        mergeKey,
        variantKey: `${mergeKey}\n${ids.of(compiled)}\n${textOf(answering(compiled), variables)}`,
        prepared,
        generation,
        asker: isForAll ? ANYBODY : asker,
      };
    },
    close() {
      for (const group of [...groups.values()]) group.close();
    },
  };
}

/** Everything that subgraphs learn of who asks. */
function scopeIn({ transports }: Generation, asker: Asker): string {
  return JSON.stringify([...transports].map(([name, transport]) => [name, transport.scopeOf(asker)]));
}

/** Names of variables that answers to events depend on, beside those of the stream itself. */
function answering({ stage }: CompiledOperation): string[] {
  return [...new Set(stage.program.steps.flatMap((step) => step.variables))];
}

function textOf(names: readonly string[], variables: Record<string, unknown>): string {
  return JSON.stringify(names.map((name) => [name, variables[name]]));
}

/** Numbers objects, so that keys can tell them apart. */
class ObjectIds {
  private readonly ids = new WeakMap<object, number>();
  private next = 0;

  of(object: object): number {
    const id = this.ids.get(object) ?? this.next++;
    this.ids.set(object, id);
    return id;
  }
}
