import { getNamedType, Kind, type FieldNode, type GraphQLField, type GraphQLSchema, type SelectionNode } from 'graphql';
import { isDataObject, ownValue, type DataObject } from '../execute/data';
import type { StreamField } from '../supergraph/stream-field';
import { subgraphView } from './subgraph-view';

/** What an event says of its place in the stream. */
export interface EventMarks {
  cursor: string | undefined;
  /** Events with equal keys replace each other. */
  key: string | undefined;
  isSnapshot: boolean;
  /** The event says that others were lost. */
  gap: { reason: string; missed: number | null } | undefined;
}

/** What is selected besides, to read the marks of events. */
export interface MarkSelection {
  selections: readonly SelectionNode[];
  /** `event` is the value of the subscription's field. */
  read(event: unknown): EventMarks;
}

const NO_MARKS: EventMarks = { cursor: undefined, key: undefined, isSnapshot: false, gap: undefined };

interface Mark {
  name: 'cursor' | 'key' | 'isSnapshot' | 'reason' | 'missed';
  alias: string;
  selection: SelectionNode;
}

/**
 * Selects what `@eventStream` names from each object type behind a field, under names of its own for each: types of one
 * field may differ between them. `prefix` begins these names; no other name of the operation may begin so.
 */
export function markSelection(
  known: GraphQLField<unknown, unknown>,
  field: StreamField,
  { schema, subgraph, prefix }: { schema: GraphQLSchema; subgraph: string; prefix: string },
): MarkSelection {
  const view = subgraphView(schema, subgraph);
  const type = getNamedType(known.type);
  const marks = view.objectTypes(type).flatMap((member, index) => {
    const isGap = member.name === field.gap;
    const wanted = [
      ['cursor', field.cursor],
      ['key', field.key],
      ['isSnapshot', field.snapshot],
      ['reason', isGap ? 'reason' : undefined],
      ['missed', isGap ? 'missed' : undefined],
    ] as const;
    return wanted.flatMap(([name, from]): Mark[] => {
      if (from === undefined || !view.hasField(member, from)) return [];
      const alias = `${prefix}_${name}_${index}`;
      return [{ name, alias, selection: aliased(alias, from, member.name === type.name ? undefined : member.name) }];
    });
  });
  return {
    selections: marks.map(({ selection }) => selection),
    read: (event) => (marks.length > 0 && isDataObject(event) ? readMarks(event, marks) : NO_MARKS),
  };
}

function aliased(alias: string, field: string, type: string | undefined): SelectionNode {
  const node: FieldNode = {
    kind: Kind.FIELD,
    alias: { kind: Kind.NAME, value: alias },
    name: { kind: Kind.NAME, value: field },
  };
  if (type === undefined) return node;
  return {
    kind: Kind.INLINE_FRAGMENT,
    typeCondition: { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: type } },
    selectionSet: { kind: Kind.SELECTION_SET, selections: [node] },
  };
}

function readMarks(event: DataObject, marks: readonly Mark[]): EventMarks {
  const read = (name: Mark['name']): unknown => {
    for (const mark of marks) {
      const value = mark.name === name ? ownValue(event, mark.alias) : undefined;
      if (value !== undefined) return value;
    }
    return undefined;
  };
  const [cursor, key, reason, missed] = [read('cursor'), read('key'), read('reason'), read('missed')];
  return {
    cursor: typeof cursor === 'string' ? cursor : undefined,
    key: key === undefined || key === null ? undefined : JSON.stringify(key),
    isSnapshot: read('isSnapshot') === true,
    gap: typeof reason === 'string' ? { reason, missed: typeof missed === 'number' ? missed : null } : undefined,
  };
}
