import type { FetchNode, QueryPlanSelectionNode } from '@apollo/query-planner';
import { Kind, parse, visit, type DocumentNode, type SelectionNode, type SelectionSetNode } from 'graphql';
import type { Twin } from './argument-twins';
import { printOperation } from './restore-twins';
import { place, type RewrittenSupergraph } from './rewrite-supergraph';

/** Where a representation has a field, and which of its twins (or the field itself) is to be there: `path` → name. */
type Needs = ReadonlyMap<string, string>;

/** Fields of a fetch that can share one representation. */
interface Group {
  needs: Map<string, string>;
  fields: Set<string>;
}

/**
 * Splits a fetch of entities when its fields need one field with different arguments: a representation has room for one.
 * Fields that need neither stay in the first part.
 */
export function splitByTwins(fetch: FetchNode, supergraph: RewrittenSupergraph): FetchNode[] {
  if (!fetch.requires) return [fetch];
  const document = parse(fetch.operation, { noLocation: true });
  const groups: Group[] = [];
  forEachEntityField(document, (type, field) => {
    const needs = needsOf(fetch.serviceName, type, field, supergraph);
    const group = groups.find((one) => fits(needs, one.needs)) ?? newGroup(groups);
    group.fields.add(place(type, field));
    for (const [path, name] of needs) group.needs.set(path, name);
  });
  if (groups.length <= 1) return [fetch];
  return groups.map((group) => partFor(group, fetch, document, supergraph.twins));
}

function newGroup(groups: Group[]): Group {
  const group: Group = { needs: new Map(), fields: new Set() };
  groups.push(group);
  return group;
}

function fits(needs: Needs, others: Needs): boolean {
  return [...needs].every(([path, name]) => (others.get(path) ?? name) === name);
}

/** What a field requires of fields that have twins; by type, since each entity has a representation of its own. */
function needsOf(service: string, type: string, field: string, { requires, twins }: RewrittenSupergraph): Needs {
  const needs = new Map<string, string>();
  const fields = new Set([...twins.values()].map((twin) => twin.field));
  const collect = (set: SelectionSetNode, path: string): void => {
    for (const node of set.selections) {
      if (node.kind === Kind.FIELD) {
        const name = node.name.value;
        const own = twins.get(name)?.field ?? name;
        if (fields.has(own)) needs.set(`${path} ${own}`, name);
        if (node.selectionSet) collect(node.selectionSet, `${path} ${own}`);
      } else if (node.kind === Kind.INLINE_FRAGMENT) collect(node.selectionSet, path);
    }
  };
  const set = requires.get(place(service, type, field));
  if (set) collect(set, type);
  return needs;
}

/** Calls back for every field directly on an entity, with the type it is selected on. */
function forEachEntityField(document: DocumentNode, visitField: (type: string, field: string) => void): void {
  visit(document, {
    Field(node) {
      if (node.name.value !== '_entities' || !node.selectionSet) return undefined;
      keepEntityFields(node.selectionSet, '', (type, field) => (visitField(type, field), true));
      return false;
    },
  });
}

/** The selections on entities without the fields that `keep` refuses, and without the fragments that then are empty. */
function keepEntityFields(
  set: SelectionSetNode,
  type: string,
  keep: (type: string, field: string) => boolean,
): SelectionSetNode {
  const selections = set.selections.flatMap((node): SelectionNode[] => {
    if (node.kind === Kind.FIELD) {
      return node.name.value === '__typename' || keep(type, node.name.value) ? [node] : [];
    }
    if (node.kind !== Kind.INLINE_FRAGMENT) return [node];
    const inside = keepEntityFields(node.selectionSet, node.typeCondition?.name.value ?? type, keep);
    return inside.selections.length > 0 ? [{ ...node, selectionSet: inside }] : [];
  });
  return { ...set, selections };
}

function partFor(group: Group, fetch: FetchNode, document: DocumentNode, twins: ReadonlyMap<string, Twin>): FetchNode {
  const keep = (type: string, field: string): boolean => group.fields.has(place(type, field));
  const selected = visit(document, {
    Field: (node) =>
      node.name.value === '_entities' && node.selectionSet
        ? { ...node, selectionSet: keepEntityFields(node.selectionSet, '', keep) }
        : undefined,
  });
  const used = new Set<string>();
  visit(selected, { VariableDefinition: () => false, Variable: (node) => void used.add(node.name.value) });
  const operation = visit(selected, {
    VariableDefinition: (node) => (used.has(node.variable.name.value) ? undefined : null),
  });
  const { variableUsages, contextRewrites } = fetch;
  return {
    ...fetch,
    operation: printOperation(operation),
    requires: keepNeeded(fetch.requires ?? [], '', group.needs, twins),
    ...(variableUsages ? { variableUsages: variableUsages.filter((name) => used.has(name)) } : {}),
    ...(contextRewrites ? { contextRewrites: contextRewrites.filter((one) => used.has(one.renameKeyTo)) } : {}),
  };
}

/** The required selections without the twins (and twinned fields) that this part has no use for. */
function keepNeeded(
  selections: readonly QueryPlanSelectionNode[],
  path: string,
  needs: Needs,
  twins: ReadonlyMap<string, Twin>,
): QueryPlanSelectionNode[] {
  return selections.flatMap((node): QueryPlanSelectionNode[] => {
    if (node.kind === 'InlineFragment') {
      const at = path === '' ? (node.typeCondition ?? '') : path;
      return [{ ...node, selections: keepNeeded(node.selections, at, needs, twins) }];
    }
    const twin = twins.get(node.name);
    const at = `${path} ${twin?.field ?? node.name}`;
    const needed = needs.get(at);
    if (twin ? needed !== node.name : needed !== undefined && needed !== node.name) return [];
    return [node.selections ? { ...node, selections: keepNeeded(node.selections, at, needs, twins) } : node];
  });
}
