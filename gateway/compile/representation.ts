import { getResponseName, type FetchDataRewrite, type QueryPlanSelectionNode } from '@apollo/query-planner';
import { accessor, isDataObject, type Accessor, type DataObject } from '../execute/data';
import { jsonString, jsonValue } from './json';
import { compileRewrites } from './rewrites';
import type { TypeTests } from './types';

/**
 * Makes of an object of the data the JSON text of its representation. Undefined when the object lacks a required field:
 * fetching that failed, and the error for it is already recorded. Equal entities have equal texts.
 */
export type WriteRepresentation = (object: DataObject) => string | undefined;

/** Compiles what a fetch `requires`: what is selected for a type is found out once, not for every object. */
export function representationWriter(
  requires: readonly QueryPlanSelectionNode[],
  inputRewrites: readonly FetchDataRewrite[] | undefined,
  types: TypeTests,
): WriteRepresentation {
  const write = objectWriter(requires, types);
  const selected: WriteRepresentation = (object) => {
    const typename = object['__typename'];
    if (typeof typename !== 'string') return undefined;
    const text = write(object);
    // Without a type name the subgraph could not tell which entity is meant.
    return text === undefined || !text.startsWith('{"__typename"') ? undefined : text;
  };
  const rewrite = compileRewrites(inputRewrites, types);
  if (!rewrite) return selected;
  return (object) => {
    const text = selected(object);
    if (text === undefined) return undefined;
    const value: unknown = JSON.parse(text);
    rewrite(value);
    return JSON.stringify(value);
  };
}

interface Field {
  /** `"name":` */
  keyText: string;
  get: Accessor;
  write: (value: unknown) => string | undefined;
}

type Selections = readonly QueryPlanSelectionNode[];

/** A writer of objects that looks up the fields to write by the object's type. */
function objectWriter(selections: Selections, types: TypeTests): WriteRepresentation {
  const variants = new Map<string, readonly Field[]>();
  return (object) => {
    const found = object['__typename'];
    const typename = typeof found === 'string' ? found : '';
    let fields = variants.get(typename);
    if (!fields) variants.set(typename, (fields = fieldsFor(typename, selections, types)));
    let text = '';
    for (const { keyText, get, write } of fields) {
      const value = get(object);
      if (value === undefined) return undefined;
      text += `${text === '' ? '{' : ','}${keyText}${write(value) ?? 'null'}`;
    }
    return text === '' ? '{}' : `${text}}`;
  };
}

/** The fields selected for one type, with those of all fragments that fit it; the type name first. */
function fieldsFor(typename: string, selections: Selections, types: TypeTests): Field[] {
  const merged = new Map<string, Selections | undefined>();
  const add = (nodes: Selections): void => {
    for (const node of nodes) {
      if (node.kind === 'Field') {
        const name = getResponseName(node);
        const before = merged.get(name);
        merged.set(name, node.selections ? [...(before ?? []), ...node.selections] : undefined);
      } else if (!node.typeCondition || (typename !== '' && types.fits(typename, node.typeCondition))) {
        add(node.selections);
      }
    }
  };
  add(selections);
  const names = [...merged.keys()].sort((a, b) => Number(b === '__typename') - Number(a === '__typename'));
  return names.map((name) => {
    const nested = merged.get(name);
    return {
      keyText: `${jsonString(name)}:`,
      get: accessor(name),
      write: nested ? nestedWriter(nested, types) : jsonValue,
    };
  });
}

function nestedWriter(selections: Selections, types: TypeTests): Field['write'] {
  const writeObject = objectWriter(selections, types);
  const write: Field['write'] = (value) => {
    if (Array.isArray(value)) return `[${value.map((item) => write(item) ?? 'null').join(',')}]`;
    return isDataObject(value) ? writeObject(value) : jsonValue(value);
  };
  return write;
}
