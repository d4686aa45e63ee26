import { createHash } from 'node:crypto';
import type { CompiledOperation } from '../compile/compile-operation';
import type { PreparedOperation } from '../engine';
import { SubgraphError } from '../fetch/transport';
import type { Generation } from '../generation';
import type { Asker } from '../operations/operations';
import { gatewayCursors } from './gateway-cursor';
import type { Placement } from './reader';
import type { StreamServices } from './stream';
import { StreamGroup } from './stream-group';

/** Finds for subscriptions what they can share with others. */
export interface Placements {
  of(subscription: { prepared: PreparedOperation; generation: Generation; asker: Asker }): Placement;
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
    of({ prepared, generation, asker }) {
      const { compiled, variables } = prepared;
      const source = compiled.source!;
      const transport = generation.transports.get(source.subgraph);
      if (!transport) throw new SubgraphError('SUBGRAPH_UNAVAILABLE', 'no transport has this name');
      const { scope: sharing } = source.field;
      const isPublic = sharing === 'public';
      const own = textOf(source.variables, variables);
      // What a client calls its operation makes no difference.
      const operation = source.operation.query.replace(/^subscription\s+\w+/, 'subscription');
      const subject = `${source.subgraph}\n${operation}\n${own}`;
      const owner = sharing === 'subscriber' ? `${ids.of(asker)}\n` : '';
      const groupKey = `${owner}${ids.of(transport)}\n${isPublic ? '' : transport.scopeOf(asker)}\n${subject}`;
      const scope = isPublic && compiled.answersArePublic ? '' : scopeIn(generation, asker);
      const mergeKey = `${ids.of(generation)}\n${scope}`;
      const known = groups.get(groupKey);
      const group =
        known ??
        new StreamGroup(
          {
            source,
            transport,
            variables,
            asker: isPublic ? { ...ANYBODY } : asker,
            cursors: gatewayCursors(digest(subject)),
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
        asker,
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

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
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
