import type { FetchNode } from '@apollo/query-planner';
import {
  getNamedType,
  Kind,
  parse,
  print,
  stripIgnoredCharacters,
  visit,
  type ArgumentNode,
  type FieldNode,
  type GraphQLField,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionNode,
  type ValueNode,
  type VariableDefinitionNode,
} from 'graphql';
import { isDataObject, ownValue, type DataObject } from '../execute/data';
import { subgraphOperation, type SubgraphOperation } from '../fetch/transport';
import type { StreamField } from '../supergraph/stream-field';
import type { Renames } from './program';
import { compileRewrites, type Rewrite } from './rewrites';
import { subgraphView } from './subgraph-view';
import type { TypeTests } from './types';

/** The root field of a subscription at its subgraph. */
export interface EventSource {
  subgraph: string;
  /** Selects besides what the plan does what `marksOf` reads, and takes the start of the stream as {@link START}. */
  operation: SubgraphOperation;
  /** The client's variables it uses; not those that only say where to start. */
  variables: readonly string[];
  rewriteOutput: Rewrite | undefined;
  renames: Renames;
  /** Response name of its field in the events. */
  onlyField: string | undefined;
  /** What the schema says about the field. */
  field: StreamField;
  /** Where the client's arguments say the stream is to start. */
  givenStart(variables: Record<string, unknown>): StreamPosition;
  /** Reads what an event says of its place in the stream. */
  marksOf(data: unknown): EventMarks;
}

/** Where in a stream a subscriber starts. */
export interface StreamPosition {
  /** Behind the event with this cursor; undefined: as the field does it by itself. */
  after: string | undefined;
  /** With the present state, if there is no cursor. */
  snapshot: boolean;
}

export interface EventMarks {
  cursor: string | undefined;
  /** Events with equal keys replace each other. */
  key: string | undefined;
  isSnapshot: boolean;
  /** The event says that others were lost. */
  gap: { reason: string; missed: number | null } | undefined;
}

/** Names of the variables that tell the subgraph where to start. */
export const START = { after: 'sauti_after', snapshot: 'sauti_snapshot' } as const;

const NO_MARKS: EventMarks = { cursor: undefined, key: undefined, isSnapshot: false, gap: undefined };

/** Compiles the primary fetch of a subscription. */
export function compileEventSource(
  primary: FetchNode,
  { schema, types, fieldOf }: { schema: GraphQLSchema; types: TypeTests; fieldOf: (name: string) => StreamField },
): EventSource {
  const definition = parse(primary.operation, { noLocation: true }).definitions[0] as OperationDefinitionNode;
  const root = rootField(definition);
  const field = fieldOf(root?.name.value ?? '');
  const known = root && schema.getSubscriptionType()?.getFields()[root.name.value];
  const started = known ? startArguments(definition, root, known, field) : { definition, root, given: [] };
  const marks = known ? marksFor(known, field, schema, primary.serviceName) : [];
  const operation = withRoot(started.definition, root, started.root, marks);
  const key = root && (root.alias ?? root.name).value;
  const text = stripIgnoredCharacters(print(operation));
  const used = new Set(operation.variableDefinitions?.map(({ variable }) => variable.name.value));
  return {
    subgraph: primary.serviceName,
    operation: subgraphOperation(text, primary.operationName, 'subscription'),
    variables: (primary.variableUsages ?? []).filter((name) => used.has(name)),
    rewriteOutput: compileRewrites(primary.outputRewrites, types),
    renames: new Map(),
    onlyField: key,
    field,
    givenStart: (variables) => givenStart(started.given, variables),
    marksOf: (data) => (key === undefined || marks.length === 0 ? NO_MARKS : marksOf(data, key, marks)),
  };
}

function rootField({ selectionSet }: OperationDefinitionNode): FieldNode | undefined {
  return selectionSet.selections.find(
    (node): node is FieldNode => node.kind === Kind.FIELD && !node.name.value.startsWith('__'),
  );
}

interface GivenArgument {
  name: keyof typeof START;
  value: ValueNode | undefined;
}

/** Replaces the arguments that say where to start by variables of ours, and keeps what the client gave for them. */
function startArguments(
  definition: OperationDefinitionNode,
  root: FieldNode,
  known: GraphQLField<unknown, unknown>,
  field: StreamField,
): { definition: OperationDefinitionNode; root: FieldNode; given: GivenArgument[] } {
  const wanted = [
    { name: 'after', argument: field.after },
    { name: 'snapshot', argument: field.askSnapshot },
  ] as const;
  const replaced = wanted.flatMap(({ name, argument }) => {
    const type = known.args.find((arg) => arg.name === argument)?.type;
    return argument !== undefined && type ? [{ name, argument, type: String(type).replace(/!$/, '') }] : [];
  });
  const given = replaced.map(({ name, argument }) => ({
    name,
    value: root.arguments?.find((node) => node.name.value === argument)?.value,
  }));
  const own = replaced.map(({ name, argument }): ArgumentNode => ({
    kind: Kind.ARGUMENT,
    name: { kind: Kind.NAME, value: argument },
    value: { kind: Kind.VARIABLE, name: { kind: Kind.NAME, value: START[name] } },
  }));
  const others = root.arguments?.filter((node) => !replaced.some(({ argument }) => argument === node.name.value)) ?? [];
  const definitions = replaced.map(({ name, type }) => definitionOf(`$${START[name]}: ${type}`));
  return {
    definition: {
      ...definition,
      variableDefinitions: [...(definition.variableDefinitions ?? []), ...definitions],
    },
    root: { ...root, arguments: [...others, ...own] },
    given,
  };
}

function definitionOf(text: string): VariableDefinitionNode {
  const { definitions } = parse(`query(${text}){a}`, { noLocation: true });
  return (definitions[0] as OperationDefinitionNode).variableDefinitions![0]!;
}

function givenStart(given: readonly GivenArgument[], variables: Record<string, unknown>): StreamPosition {
  const valueOf = (name: GivenArgument['name']): unknown => {
    const value = given.find((each) => each.name === name)?.value;
    if (value?.kind === Kind.VARIABLE) return ownValue(variables, value.name.value);
    return value && 'value' in value ? value.value : undefined;
  };
  const after = valueOf('after');
  return { after: typeof after === 'string' ? after : undefined, snapshot: valueOf('snapshot') === true };
}

/** One thing that is selected besides, under a name of its own. */
interface Mark {
  name: 'cursor' | 'key' | 'isSnapshot' | 'reason' | 'missed';
  alias: string;
  selection: SelectionNode;
}

/** Selections under names of their own for each object type: types of one field may differ between them. */
function marksFor(
  known: GraphQLField<unknown, unknown>,
  field: StreamField,
  schema: GraphQLSchema,
  subgraph: string,
): Mark[] {
  const view = subgraphView(schema, subgraph);
  const type = getNamedType(known.type);
  return view.objectTypes(type).flatMap((member, index) => {
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
      const alias = `sauti_${name}_${index}`;
      return [{ name, alias, selection: aliased(alias, from, member.name === type.name ? undefined : member.name) }];
    });
  });
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

function withRoot(
  definition: OperationDefinitionNode,
  before: FieldNode | undefined,
  root: FieldNode | undefined,
  marks: readonly Mark[],
): OperationDefinitionNode {
  if (!before || !root) return definition;
  const selections = [...(root.selectionSet?.selections ?? []), ...marks.map(({ selection }) => selection)];
  const changed: FieldNode =
    selections.length > 0 ? { ...root, selectionSet: { kind: Kind.SELECTION_SET, selections } } : root;
  const operation: OperationDefinitionNode = {
    ...definition,
    selectionSet: {
      kind: Kind.SELECTION_SET,
      selections: definition.selectionSet.selections.map((node) => (node === before ? changed : node)),
    },
  };
  return withoutUnusedVariables(operation);
}

function withoutUnusedVariables(operation: OperationDefinitionNode): OperationDefinitionNode {
  const used = new Set<string>();
  visit({ ...operation, variableDefinitions: [] }, { Variable: ({ name }) => void used.add(name.value) });
  return {
    ...operation,
    variableDefinitions: (operation.variableDefinitions ?? []).filter(({ variable }) => used.has(variable.name.value)),
  };
}

function marksOf(data: unknown, key: string, marks: readonly Mark[]): EventMarks {
  const event = isDataObject(data) ? ownValue(data, key) : undefined;
  if (!isDataObject(event)) return NO_MARKS;
  const read = (name: Mark['name']): unknown => valueIn(event, name, marks);
  const cursor = read('cursor');
  const eventKey = read('key');
  const reason = read('reason');
  const missed = read('missed');
  return {
    cursor: typeof cursor === 'string' ? cursor : undefined,
    key: eventKey === undefined || eventKey === null ? undefined : JSON.stringify(eventKey),
    isSnapshot: read('isSnapshot') === true,
    gap: typeof reason === 'string' ? { reason, missed: typeof missed === 'number' ? missed : null } : undefined,
  };
}

function valueIn(event: DataObject, name: Mark['name'], marks: readonly Mark[]): unknown {
  for (const mark of marks) {
    if (mark.name !== name) continue;
    const value = ownValue(event, mark.alias);
    if (value !== undefined) return value;
  }
  return undefined;
}
