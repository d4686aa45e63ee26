import type { FetchNode, PlanNode, ResponsePath } from '@apollo/query-planner';
import { Kind, parse, type FieldNode, type OperationDefinitionNode } from 'graphql';
import { accessor, type Accessor } from '../execute/data';
import { subgraphOperation, type SubgraphOperation } from '../fetch/transport';
import { contextArguments, type ContextArguments } from './context-arguments';
import { flattenPath, type FlattenPath } from './flatten-path';
import { mergeFetches, type PlannedFetch } from './merge-fetches';
import { representationWriter, type RepresentationWriter } from './representation';
import { compileRewrites, type Rewrite } from './rewrites';
import type { TypeTests } from './types';

/** The fetches of a plan with what each waits for. A step starts as soon as all it waits for are done. */
export interface Program {
  steps: readonly Step[];
  /** Whether equal entities at one path share what was fetched for them; not while their surroundings are arguments. */
  mayShare: boolean;
}

/** One request to one subgraph. */
export interface Step {
  index: number;
  /** Ids of the plan's fetches in it; deferred parts name what they wait for by them. */
  ids: readonly string[];
  subgraph: string;
  /** How many steps it waits for, and which wait for it. */
  waitsFor: number;
  next: readonly number[];
  /** Variables of the client that it uses. */
  variables: readonly string[];
  /** Selects from the roots of its subgraph, or, with `parts`, from entities. */
  root: RootFetch | undefined;
  parts: readonly EntityFetch[];
  /** Its document for those parts that have entities to ask for, given as bits. */
  operation: (parts: number) => SubgraphOperation;
}

export interface RootFetch {
  /** Where the answer belongs; undefined at the root of the data. */
  path: FlattenPath | undefined;
  rewriteOutput: Rewrite | undefined;
  renames: Renames;
  /** Response names it selects at its top, after the rewriting of its answer. */
  fields: readonly string[];
}

/** One `_entities` field: what it selects of the objects at its paths. */
export interface EntityFetch {
  /** Response name of its `_entities` field, and the variable of its representations. */
  alias: string;
  variable: string;
  /** Equal paths of a program are one object. */
  paths: readonly FlattenPath[];
  representation: RepresentationWriter;
  rewriteOutput: Rewrite | undefined;
  renames: Renames;
  /** Response names it selects at its top; null fills them where a subgraph knows no such entity. */
  fields: readonly { key: string; get: Accessor }[];
  /** Whether it selects leaves only, so that merging shares nothing between objects. */
  isFlat: boolean;
  context: ContextArguments | undefined;
}

/** What the planner renamed, for paths of errors: `name__alias_0` is `name` for the client. */
export type Renames = ReadonlyMap<string, string>;

/** Compiles the fetches of a plan node. Conditions are decided before planning; Defer is not for here. */
export function compileProgram(node: PlanNode | undefined, types: TypeTests): Program {
  const fetches: PlannedFetch[] = [];
  if (node) collectFetches(node, { path: [], waitsFor: [] }, fetches);
  const merged = mergeFetches(fetches);
  const mayShare = fetches.every(({ node: { contextRewrites } }) => !contextRewrites?.length);
  const paths = new Map<string, FlattenPath>();
  const compilePath = (path: ResponsePath): FlattenPath => {
    const key = JSON.stringify(path);
    const compiled = paths.get(key) ?? flattenPath(path, types);
    paths.set(key, compiled);
    return compiled;
  };
  const indexOf = new Map(merged.flatMap((group, index) => group.map((fetch) => [fetch, index] as const)));
  const waits = merged.map(
    (group) => new Set(group.flatMap(({ waitsFor }) => waitsFor.map((fetch) => indexOf.get(fetch)!))),
  );
  const steps = merged.map((group, index): Step => {
    const [first] = group as [PlannedFetch, ...PlannedFetch[]];
    return {
      index,
      ids: group.flatMap(({ node: { id } }) => (id === undefined ? [] : [id])),
      subgraph: first.node.serviceName,
      waitsFor: waits[index]!.size,
      next: waits.flatMap((set, other) => (set.has(index) ? [other] : [])),
      variables: [...new Set(group.flatMap(({ node: { variableUsages } }) => variableUsages ?? []))],
      ...(first.node.requires ? entityStep(group, compilePath, types) : rootStep(first, compilePath, types)),
    };
  });
  return { steps, mayShare };
}

interface Place {
  path: ResponsePath;
  waitsFor: readonly PlannedFetch[];
}

/** Walks a plan; returns the fetches that must be done before what follows the node in a sequence. */
function collectFetches(node: PlanNode, place: Place, found: PlannedFetch[]): readonly PlannedFetch[] {
  switch (node.kind) {
    case 'Fetch': {
      const fetch: PlannedFetch = {
        node,
        path: place.path,
        waitsFor: place.waitsFor,
        level: 1 + Math.max(-1, ...place.waitsFor.map(({ level }) => level)),
      };
      found.push(fetch);
      return [fetch];
    }
    case 'Flatten':
      return collectFetches(node.node, { ...place, path: [...place.path, ...node.path] }, found);
    case 'Parallel':
      return node.nodes.flatMap((child) => collectFetches(child, place, found));
    case 'Sequence': {
      let { waitsFor } = place;
      for (const child of node.nodes) {
        const last = collectFetches(child, { ...place, waitsFor }, found);
        if (last.length > 0) waitsFor = last;
      }
      return waitsFor === place.waitsFor ? [] : waitsFor;
    }
    case 'Condition':
    case 'Defer':
      throw new Error(`A plan has ${node.kind} where it should have only fetches.`);
  }
}

function rootStep(
  { node, path }: PlannedFetch,
  compilePath: (path: ResponsePath) => FlattenPath,
  types: TypeTests,
): Pick<Step, 'root' | 'parts' | 'operation'> {
  const operation = subgraphOperation(node.operation, node.operationName, node.operationKind);
  return {
    root: {
      path: path.length > 0 ? compilePath(path) : undefined,
      rewriteOutput: compileRewrites(node.outputRewrites, types),
      renames: renamesOf(node),
      fields: rootFields(node),
    },
    parts: [],
    operation: () => operation,
  };
}

function rootFields(node: FetchNode): string[] {
  const renames = renamesOf(node);
  const fields = topFields({
    kind: Kind.FIELD,
    name: { kind: Kind.NAME, value: '' },
    selectionSet: operationIn(node.operation).selectionSet,
  });
  return [...new Set(fields.flatMap((field) => namesOf(field, renames)))];
}

function entityStep(
  group: readonly PlannedFetch[],
  compilePath: (path: ResponsePath) => FlattenPath,
  types: TypeTests,
): Pick<Step, 'root' | 'parts' | 'operation'> {
  const { documents, operation } = entityDocuments(group);
  const parts = documents.map(({ alias, variable, field, fetches }): EntityFetch => {
    const [{ node }] = fetches as [PlannedFetch, ...PlannedFetch[]];
    const selected = topFields(field);
    const renames = renamesOf(node);
    return {
      alias,
      variable,
      paths: fetches.map(({ path }) => compilePath(path)),
      representation: representationWriter(node.requires ?? [], node.inputRewrites, types),
      rewriteOutput: compileRewrites(node.outputRewrites, types),
      renames,
      fields: [...new Set(selected.flatMap((selection) => namesOf(selection, renames)))].map((key) => ({
        key,
        get: accessor(key),
      })),
      isFlat: selected.every((selection) => !selection.selectionSet),
      context: contextArguments(node, fetches[0]!.path, types),
    };
  });
  return { root: undefined, parts, operation };
}

/** Documents kept for subsets of a request's parts; which of them come is up to data, and few do. */
const MAX_PREPARED = 64;

interface EntityDocument {
  alias: string;
  variable: string;
  field: FieldNode;
  fetches: readonly PlannedFetch[];
}

/**
 * The `_entities` fields of a group of fetches: those that select the same of the same are one field over several
 * paths, the others stand side by side under aliases. A single one keeps the planner's text.
 */
function entityDocuments(group: readonly PlannedFetch[]): {
  documents: readonly EntityDocument[];
  operation: Step['operation'];
} {
  const same = new Map<string, PlannedFetch[]>();
  for (const fetch of group) {
    const { operation, requires, inputRewrites, outputRewrites } = fetch.node;
    const key = JSON.stringify([operation.replace(/^query \w+/, 'query'), requires, inputRewrites, outputRewrites]);
    same.set(key, [...(same.get(key) ?? []), fetch]);
  }
  const alone = same.size === 1;
  const documents = [...same.values()].map(
    (fetches, index): EntityDocument & { text: string; definitions: string[] } => {
      const { operation } = fetches[0]!.node;
      const definition = operationIn(operation);
      const alias = alone ? '_entities' : `_${index}`;
      const variable = alone ? 'representations' : `_${index}`;
      return {
        alias,
        variable,
        field: definition.selectionSet.selections[0] as FieldNode,
        fetches,
        text: entitiesText(operation, definition, alias, variable),
        definitions: (definition.variableDefinitions ?? [])
          .filter((node) => node.variable.name.value !== 'representations')
          .map(({ loc }) => operation.slice(loc!.start, loc!.end)),
      };
    },
  );
  const { operationName, operation: text } = group[0]!.node;
  if (alone) {
    const prepared = subgraphOperation(text, operationName, 'query');
    return { documents, operation: () => prepared };
  }
  const prepared = new Map<number, SubgraphOperation>();
  return {
    documents,
    operation(bits) {
      const known = prepared.get(bits);
      if (known) return known;
      const used = documents.filter((_, index) => bits & (1 << index));
      const definitions = [
        ...used.map(({ variable }) => `$${variable}:[_Any!]!`),
        ...new Set(used.flatMap((document) => document.definitions)),
      ];
      const query = `query${operationName === undefined ? '' : ` ${operationName}`}(${definitions.join(',')}){${used.map((document) => document.text).join(' ')}}`;
      const made = subgraphOperation(query, operationName, 'query');
      if (prepared.size < MAX_PREPARED) prepared.set(bits, made);
      return made;
    },
  };
}

/** The text of a fetch's `_entities` field under another alias and variable. */
function entitiesText(operation: string, definition: OperationDefinitionNode, alias: string, variable: string): string {
  const selection = (definition.selectionSet.selections[0] as FieldNode).selectionSet;
  return `${alias}:_entities(representations:$${variable})${operation.slice(selection!.loc!.start, selection!.loc!.end)}`;
}

/** What a field is called in the answer, and after the rewriting of the answer. */
function namesOf({ alias, name }: FieldNode, renames: Renames): string[] {
  const answered = (alias ?? name).value;
  return [answered, renames.get(answered) ?? answered];
}

function topFields(field: FieldNode): FieldNode[] {
  return (field.selectionSet?.selections ?? []).flatMap((node): FieldNode[] => {
    if (node.kind === Kind.FIELD) return [node];
    if (node.kind === Kind.FRAGMENT_SPREAD) throw new Error('A fetch of the planner has a named fragment.');
    return topFields({ ...field, selectionSet: node.selectionSet });
  });
}

function operationIn(text: string): OperationDefinitionNode {
  const definition = parse(text).definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION);
  if (!definition) throw new Error('A fetch of the planner has no operation.');
  return definition;
}

function renamesOf({ outputRewrites }: FetchNode): Renames {
  return new Map(
    outputRewrites?.flatMap((rewrite) =>
      rewrite.kind === 'KeyRenamer' ? [[rewrite.path.at(-1) ?? '', rewrite.renameKeyTo] as const] : [],
    ),
  );
}
