import { Kind, OperationTypeNode, parse, print, stripIgnoredCharacters, type FieldNode } from 'graphql';
import { LRUCache } from 'lru-cache';
import { projectionOf, type Projection } from './projection';
import { selectedFields, variablesIn, type SelectedFields } from './selection';

/** An operation of nothing but `_entities` fields: several of them can become one. */
export interface EntitiesOperation {
  /** Tells texts of operations apart. */
  id: number;
  query: string;
  parts: readonly EntitiesPart[];
  /** All variables but the representations. */
  variables: readonly { name: string; definition: string }[];
  /** How many more times its fields get an `_entities` field of their own, and it a request of its own. */
  times: { apart: number; alone: number };
}

/** One `_entities` field. */
export interface EntitiesPart {
  /** Its response name. */
  alias: string;
  /** The variable of its representations. */
  variable: string;
  fields: SelectedFields;
  projection: Projection;
}

/** Characters of operations that are kept prepared, at most: what is kept of one is about twenty times its text. */
const MAX_CHARACTERS = 1_000_000;

/** Prepares operations for merging, and keeps those used last. Undefined for those that cannot be merged. */
export function createPreparation(cacheSize: number): (query: string) => EntitiesOperation | undefined {
  let count = 0;
  const kept = new LRUCache<string, { operation: EntitiesOperation | undefined }>({
    max: cacheSize,
    maxSize: MAX_CHARACTERS,
    sizeCalculation: (_, query) => query.length + 1,
  });
  return (query) => {
    const known = kept.get(query);
    if (known) return known.operation;
    const read = readOperation(query);
    const operation = read && { ...read, id: count++, query, times: { apart: 0, alone: 0 } };
    kept.set(query, { operation });
    return operation;
  };
}

function readOperation(query: string): Pick<EntitiesOperation, 'parts' | 'variables'> | undefined {
  // Without what means nothing, equal fields are equal texts.
  const [definition, ...others] = parse(stripIgnoredCharacters(query)).definitions;
  if (others.length > 0 || definition?.kind !== Kind.OPERATION_DEFINITION) return undefined;
  if (definition.operation !== OperationTypeNode.QUERY || definition.directives?.length) return undefined;
  const parts: EntitiesPart[] = [];
  for (const node of definition.selectionSet.selections) {
    const part = node.kind === Kind.FIELD ? readPart(node) : undefined;
    if (!part || parts.some(({ alias }) => alias === part.alias)) return undefined;
    parts.push(part);
  }
  const lists = new Set(parts.map(({ variable }) => variable));
  if (parts.some(({ fields }) => [...variablesIn(fields)].some((name) => lists.has(name)))) return undefined;
  const variables = (definition.variableDefinitions ?? []).flatMap((node) => {
    const name = node.variable.name.value;
    return lists.has(name) ? [] : [{ name, definition: print(node).slice(name.length + 1) }];
  });
  return { parts, variables };
}

function readPart(node: FieldNode): EntitiesPart | undefined {
  const [argument, ...others] = node.arguments ?? [];
  if (node.name.value !== '_entities' || node.directives?.length || !node.selectionSet) return undefined;
  if (argument?.name.value !== 'representations' || others.length > 0) return undefined;
  if (argument.value.kind !== Kind.VARIABLE) return undefined;
  const fields = selectedFields(node.selectionSet);
  const alias = (node.alias ?? node.name).value;
  return fields && { alias, variable: argument.value.name.value, fields, projection: projectionOf(fields) };
}
