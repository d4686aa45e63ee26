import type { FetchNode } from '@apollo/query-planner';
import {
  Kind,
  parse,
  print,
  stripIgnoredCharacters,
  visit,
  type FieldNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type VariableDefinitionNode,
} from 'graphql';
import { isDataObject, ownValue, type DataObject } from '../execute/data';
import { subgraphOperation, type SubgraphOperation } from '../fetch/transport';
import type { StreamField } from '../supergraph/stream-field';
import { markSelection, type EventMarks } from './event-marks';
import { compileRewrites, type Rewrite } from './rewrites';
import { startArguments, type StreamPosition } from './start-arguments';
import type { TypeTests } from './types';

/** The root field of a subscription at its subgraph. */
export interface EventSource {
  subgraph: string;
  /** Selects besides what the plan does what `marksOf` reads, and takes the start of the stream in variables of ours. */
  operation: SubgraphOperation;
  /** The same without the name that the client gave its operation, which makes no difference to events. */
  text: string;
  /** The client's variables it uses; not those that only say where to start. */
  variables: readonly string[];
  /** What is subscribed to, whatever is selected of it: the field and its arguments, without those for the start. */
  subjectOf(variables: Record<string, unknown>): string;
  rewriteOutput: Rewrite | undefined;
  /** Response name of its field in the events. */
  onlyField: string | undefined;
  /** What the schema says about the field. */
  field: StreamField;
  /** Where the client's arguments say the stream is to start. */
  givenStart(variables: Record<string, unknown>): StreamPosition;
  /** The variables that make it start there. */
  startVariables(position: StreamPosition): DataObject;
  /** Reads what an event says of its place in the stream. */
  marksOf(data: unknown): EventMarks;
}

export interface SourceServices {
  schema: GraphQLSchema;
  types: TypeTests;
  fieldOf: (name: string) => StreamField;
}

/** Compiles the primary fetch of a subscription. Throws when it selects no field of the schema. */
export function compileEventSource(primary: FetchNode, { schema, types, fieldOf }: SourceServices): EventSource {
  const definition = parse(primary.operation, { noLocation: true }).definitions[0] as OperationDefinitionNode;
  const root = rootField(definition);
  const known = schema.getSubscriptionType()?.getFields()[root.name.value];
  if (!known) throw new Error('A subscription has no field of the schema at its root.');
  const field = fieldOf(root.name.value);
  const prefix = freePrefix(primary.operation);
  const start = startArguments(root, known, field, prefix);
  const marks = markSelection(known, field, { schema, subgraph: primary.serviceName, prefix });
  const selections = [...(root.selectionSet?.selections ?? []), ...marks.selections];
  const changed: FieldNode =
    selections.length > 0 ? { ...start.root, selectionSet: { kind: Kind.SELECTION_SET, selections } } : start.root;
  const operation = withRoot(definition, { before: root, after: changed }, start.definitions);
  const key = (root.alias ?? root.name).value;
  const used = variablesIn(operation);
  const text = stripIgnoredCharacters(print(operation));
  return {
    subgraph: primary.serviceName,
    operation: subgraphOperation(text, primary.operationName, 'subscription'),
    text: text.replace(/^subscription\s+\w+/, 'subscription'),
    variables: (primary.variableUsages ?? []).filter((name) => used.has(name)),
    subjectOf: (variables) => JSON.stringify([root.name.value, start.others(variables)]),
    rewriteOutput: compileRewrites(primary.outputRewrites, types),
    onlyField: key,
    field,
    givenStart: (variables) => start.given(variables),
    startVariables: (position) => start.variables(position),
    marksOf: (data) => marks.read(isDataObject(data) ? ownValue(data, key) : undefined),
  };
}

function rootField({ selectionSet }: OperationDefinitionNode): FieldNode {
  const root = selectionSet.selections.find(
    (node): node is FieldNode => node.kind === Kind.FIELD && !node.name.value.startsWith('__'),
  );
  if (!root) throw new Error('A subscription selects no field at its root.');
  return root;
}

/** What no name in the operation begins with. */
function freePrefix(operation: string): string {
  let prefix = 'sauti';
  while (operation.includes(prefix)) prefix += '_';
  return prefix;
}

/** The operation with another root field and more variables; those that nothing uses are left out, as graphql wants it. */
function withRoot(
  definition: OperationDefinitionNode,
  root: { before: FieldNode; after: FieldNode },
  definitions: readonly VariableDefinitionNode[],
): OperationDefinitionNode {
  const selections = definition.selectionSet.selections.map((node) => (node === root.before ? root.after : node));
  const operation: OperationDefinitionNode = {
    ...definition,
    selectionSet: { kind: Kind.SELECTION_SET, selections },
  };
  const used = variablesIn(operation);
  const all = [...(definition.variableDefinitions ?? []), ...definitions];
  return { ...operation, variableDefinitions: all.filter(({ variable }) => used.has(variable.name.value)) };
}

/** Variables an operation uses, wherever. */
function variablesIn({ selectionSet }: OperationDefinitionNode): Set<string> {
  const used = new Set<string>();
  visit(selectionSet, { Variable: ({ name }) => void used.add(name.value) });
  return used;
}
