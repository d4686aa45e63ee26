import {
  Kind,
  type ConstDirectiveNode,
  type DocumentNode,
  type FieldDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { findTwins, twinFields, withTwins, type Twin, type Twins } from './argument-twins';
import { argumentsText } from './arguments-text';
import {
  applied,
  argument,
  isFieldsType,
  isResolvable,
  isTrue,
  parseFieldSet,
  readSupergraphDocument,
  textArgument,
  type FieldsType,
  type SupergraphDocument,
} from './supergraph-document';

/** A key of a type in one subgraph. */
export interface EntityKey {
  fields: SelectionSetNode;
  isResolvable: boolean;
  /** The subgraph knows an interface of the supergraph as an object type. */
  isInterfaceObject: boolean;
}

/** What the planner gets in place of the composed supergraph, and what is needed to undo it in its plans. */
export interface RewrittenSupergraph {
  /** Undefined when nothing had to be changed. */
  document: DocumentNode | undefined;
  twins: ReadonlyMap<string, Twin>;
  /** What a field requires, in terms of twins; `place` makes the keys. Empty without twins. */
  requires: ReadonlyMap<string, SelectionSetNode>;
  /** Keys by subgraph and type; `place` makes the keys. Only where one of them cannot be resolved. */
  partialKeys: ReadonlyMap<string, readonly EntityKey[]>;
  /** Interfaces a type implements. */
  interfacesOf: (type: string) => readonly string[];
  overrides: { label: string; field: string }[];
  addedFields: [name: string, argumentTexts: string[]][];
  interfaceObjects: string[];
}

/** A key of the maps above: names of a subgraph, a type and perhaps a field. */
export function place(...names: string[]): string {
  return names.join(' ');
}

/**
 * Changes a supergraph where Apollo's planner would make silently wrong plans of it (decision 10): fields that are
 * required with different arguments get twins, and keys that cannot be resolved come last, because re-entry into a
 * subgraph takes the first one. What clients may ask for is not touched.
 */
export function rewriteSupergraph(sdl: string): RewrittenSupergraph {
  const supergraph = readSupergraphDocument(sdl);
  const twins = findTwins(supergraph);
  const requires = new Map<string, SelectionSetNode>();
  const partialKeys = new Map<string, EntityKey[]>();
  for (const type of supergraph.types.values()) {
    for (const [graph, keys] of keysOf(type, supergraph)) {
      if (keys.some((key) => !key.isResolvable)) partialKeys.set(place(graph, type.name.value), keys);
    }
    for (const field of type.fields ?? []) collectRequires(type, field, { supergraph, twins, requires });
  }
  const { definitions } = supergraph.document;
  const rewritten = definitions.map((node) => (isFieldsType(node) ? rewriteType(node, twins) : node));
  const document: DocumentNode = { ...supergraph.document, definitions: rewritten };
  return {
    document: rewritten.some((node, index) => node !== definitions[index]) ? document : undefined,
    twins: twins.byName,
    requires,
    partialKeys,
    interfacesOf: (name) => supergraph.types.get(name)?.interfaces?.map((node) => node.name.value) ?? [],
    overrides: overridesIn(supergraph),
    addedFields: addedFields(document),
    interfaceObjects: interfaceObjects(supergraph),
  };
}

function rewriteType(type: FieldsType, twins: Twins): FieldsType {
  const directives = resolvableFirst(type.directives ?? []);
  if (twins.byName.size === 0) {
    return directives.every((directive, index) => directive === type.directives?.[index])
      ? type
      : { ...type, directives };
  }
  const fields = [...(type.fields ?? []), ...twinFields(type, twins)].map((field) => ({
    ...field,
    directives: field.directives?.map((directive) => rewriteRequires(directive, twins)) ?? [],
  }));
  return { ...type, directives, fields };
}

function rewriteRequires(directive: ConstDirectiveNode, twins: Twins): ConstDirectiveNode {
  const requires = directive.name.value === 'join__field' ? textArgument(directive, 'requires') : undefined;
  if (!requires) return directive;
  return {
    ...directive,
    arguments: directive.arguments?.map((node) =>
      node.name.value === 'requires'
        ? { ...node, value: { kind: Kind.STRING, value: withTwins(requires, twins) } }
        : node,
    ),
  };
}

/** The same directives; within each subgraph the keys that cannot be resolved stand behind the others. */
function resolvableFirst(directives: readonly ConstDirectiveNode[]): ConstDirectiveNode[] {
  const byGraph = new Map<string | undefined, ConstDirectiveNode[]>();
  for (const directive of applied({ directives }, 'join__type')) {
    const graph = textArgument(directive, 'graph');
    byGraph.set(graph, [...(byGraph.get(graph) ?? []), directive]);
  }
  for (const keys of byGraph.values()) keys.sort((a, b) => Number(isResolvable(b)) - Number(isResolvable(a)));
  return directives.map((directive) =>
    directive.name.value === 'join__type'
      ? (byGraph.get(textArgument(directive, 'graph'))?.shift() ?? directive)
      : directive,
  );
}

function keysOf(type: FieldsType, { graphs }: SupergraphDocument): Map<string, EntityKey[]> {
  const keys = new Map<string, EntityKey[]>();
  for (const directive of applied(type, 'join__type')) {
    const key = textArgument(directive, 'key');
    const graph = graphs.get(textArgument(directive, 'graph') ?? '');
    if (!key || !graph) continue;
    const isInterfaceObject = isTrue(argument(directive, 'isInterfaceObject'));
    const found = { fields: parseFieldSet(key), isResolvable: isResolvable(directive), isInterfaceObject };
    keys.set(graph, [...(keys.get(graph) ?? []), found]);
  }
  return keys;
}

function collectRequires(
  type: FieldsType,
  field: FieldDefinitionNode,
  into: { supergraph: SupergraphDocument; twins: Twins; requires: Map<string, SelectionSetNode> },
): void {
  if (into.twins.byName.size === 0) return;
  for (const directive of applied(field, 'join__field')) {
    const requires = textArgument(directive, 'requires');
    const graph = into.supergraph.graphs.get(textArgument(directive, 'graph') ?? '');
    if (!requires || !graph) continue;
    const fields = parseFieldSet(withTwins(requires, into.twins));
    into.requires.set(place(graph, type.name.value, field.name.value), fields);
  }
}

function interfaceObjects({ types }: SupergraphDocument): string[] {
  return [...types.values()]
    .filter((type) => applied(type, 'join__type').some((node) => isTrue(argument(node, 'isInterfaceObject'))))
    .map((type) => type.name.value);
}

function overridesIn(supergraph: SupergraphDocument): { label: string; field: string }[] {
  return [...supergraph.types.values()].flatMap((type) =>
    (type.fields ?? []).flatMap((field) =>
      applied(field, 'join__field').flatMap((directive) => {
        const label = textArgument(directive, 'overrideLabel');
        return label ? [{ label, field: field.name.value }] : [];
      }),
    ),
  );
}

function addedFields(document: DocumentNode): [string, string[]][] {
  const found = new Map<string, Set<string>>([['__typename', new Set([''])]]);
  const collect = (set: SelectionSetNode): void => {
    for (const node of set.selections) {
      if (node.kind === Kind.FIELD) {
        const texts = found.get(node.name.value) ?? new Set();
        found.set(node.name.value, texts.add(argumentsText(node.arguments)));
      }
      if ('selectionSet' in node && node.selectionSet) collect(node.selectionSet);
    }
  };
  for (const type of document.definitions.filter(isFieldsType)) {
    for (const fields of fieldSetsOf(type)) collect(parseFieldSet(fields));
  }
  return [...found].map(([name, texts]) => [name, [...texts]]);
}

/** Keys, and what fields require or take from their surroundings. */
function fieldSetsOf(type: FieldsType): string[] {
  const keys = applied(type, 'join__type').map((directive) => textArgument(directive, 'key'));
  const fields = type.fields?.flatMap((field) => applied(field, 'join__field')) ?? [];
  const requires = fields.map((directive) => textArgument(directive, 'requires'));
  return [...keys, ...requires, ...fields.flatMap(contextSelections)].flatMap((text) => text ?? []);
}

function contextSelections(joinField: ConstDirectiveNode): string[] {
  const list = argument(joinField, 'contextArguments');
  const items = list?.kind === Kind.LIST ? list.values : [];
  return items
    .flatMap((item) => (item.kind === Kind.OBJECT ? item.fields : []))
    .flatMap(({ name, value }) => (name.value === 'selection' && value.kind === Kind.STRING ? [value.value] : []));
}
