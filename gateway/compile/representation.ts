import type { FetchDataRewrite, QueryPlanFieldNode, QueryPlanSelectionNode } from '@apollo/query-planner';
import { accessor, isDataObject, type Accessor, type DataObject } from '../execute/data';
import { jsonString, jsonValue } from './json';
import { compileRewrites } from './rewrites';
import type { TypeTests } from './types';

/** What a fetch `requires` of the objects it is for. */
export interface RepresentationWriter {
  /**
   * The JSON text of an object's representation. Undefined when the object lacks a required field: fetching that failed,
   * and the error for it is already recorded. Equal entities have equal texts.
   */
  textOf(object: DataObject): string | undefined;
  /**
   * Whether an object has nothing but what its representation says. Then it is the same as any other one with the same
   * text, and one can stand for all.
   */
  isStub(object: DataObject): boolean;
  /** Where representations differ by one leaf only: how to read it, and which type all objects have. */
  single: { typename: string; get: Accessor } | undefined;
}

/** Compiles what a fetch `requires`: what is selected for a type is found out once, not for every object. */
export function representationWriter(
  requires: readonly QueryPlanSelectionNode[],
  inputRewrites: readonly FetchDataRewrite[] | undefined,
  types: TypeTests,
): RepresentationWriter {
  const variants = createVariants(requires, types);
  const selected = (object: DataObject): string | undefined => {
    const typename = object['__typename'];
    if (typeof typename !== 'string') return undefined;
    const text = writeFields(variants(typename), object);
    // Without a type name the subgraph could not tell which entity is meant.
    return text === undefined || !text.startsWith('{"__typename"') ? undefined : text;
  };
  const rewrite = compileRewrites(inputRewrites, types);
  return {
    single: singleLeaf(requires, types),
    isStub(object) {
      const typename = object['__typename'];
      const fields = typeof typename === 'string' ? variants(typename) : [];
      let left = fields.length;
      for (const _ in object) if (--left < 0) return false;
      return left === 0 && fields.every(({ isLeaf }) => isLeaf);
    },
    textOf: rewrite
      ? (object) => {
          const text = selected(object);
          if (text === undefined) return undefined;
          const value: unknown = JSON.parse(text);
          rewrite(value);
          return JSON.stringify(value);
        }
      : selected,
  };
}

function singleLeaf(requires: Selections, types: TypeTests): RepresentationWriter['single'] {
  const [fragment, ...others] = requires;
  if (fragment?.kind !== 'InlineFragment' || others.length > 0) return undefined;
  const { typeCondition: typename, selections } = fragment;
  if (typename === undefined || !types.isObjectType(typename) || selections.length !== 2) return undefined;
  const leaf = selections.find((node) => node.kind === 'Field' && node.name !== '__typename' && !node.selections);
  if (leaf?.kind !== 'Field' || !selections.some((node) => node.kind === 'Field' && node.name === '__typename'))
    return undefined;
  return { typename, get: accessor(responseName(leaf)) };
}

interface Field {
  /** `{"name":` for the first, `,"name":` for the others. */
  keyText: string;
  get: Accessor;
  write: (value: unknown) => string | undefined;
  isLeaf: boolean;
}

type Selections = readonly QueryPlanSelectionNode[];

/** The fields to write for a type, or without one. */
function createVariants(selections: Selections, types: TypeTests): (typename: string) => readonly Field[] {
  const variants = new Map<string, readonly Field[]>();
  let last = '';
  let lastFields: readonly Field[] | undefined;
  return (typename) => {
    if (lastFields && typename === last) return lastFields;
    let fields = variants.get(typename);
    if (!fields) {
      fields = fieldsFor(typename, selections, types);
      if (typename === '' || types.isType(typename)) variants.set(typename, fields);
    }
    last = typename;
    return (lastFields = fields);
  };
}

function writeFields(fields: readonly Field[], object: DataObject): string | undefined {
  let text = '';
  for (let index = 0; index < fields.length; index++) {
    const { keyText, get, write, isLeaf } = fields[index]!;
    const value = get(object);
    if (value === undefined) return undefined;
    const written = write(value);
    // What cannot be written (a scalar nested without end) must not look like a null to who requires it.
    if (written === undefined && isLeaf) return undefined;
    text += keyText + (written ?? 'null');
  }
  return text === '' ? '{}' : `${text}}`;
}

/** The fields selected for one type, with those of all fragments that fit it; the type name first. */
function fieldsFor(typename: string, selections: Selections, types: TypeTests): Field[] {
  const merged = new Map<string, Selections | undefined>();
  const add = (nodes: Selections): void => {
    for (const node of nodes) {
      if (node.kind === 'Field') {
        const name = responseName(node);
        const before = merged.get(name);
        merged.set(name, node.selections ? [...(before ?? []), ...node.selections] : undefined);
      } else if (!node.typeCondition || (typename !== '' && types.fits(typename, node.typeCondition))) {
        add(node.selections);
      }
    }
  };
  add(selections);
  const names = [...merged.keys()].sort((a, b) => Number(b === '__typename') - Number(a === '__typename'));
  return names.map((name, index) => {
    const nested = merged.get(name);
    return {
      keyText: `${index === 0 ? '{' : ','}${jsonString(name)}:`,
      isLeaf: !nested,
      get: accessor(name),
      write: nested ? nestedWriter(nested, types) : jsonValue,
    };
  });
}

function responseName({ alias, name }: QueryPlanFieldNode): string {
  return alias ?? name;
}

function nestedWriter(selections: Selections, types: TypeTests): Field['write'] {
  const variants = createVariants(selections, types);
  const write: Field['write'] = (value) => {
    if (Array.isArray(value)) return `[${value.map((item) => write(item) ?? 'null').join(',')}]`;
    if (!isDataObject(value)) return jsonValue(value);
    const typename = value['__typename'];
    return writeFields(variants(typeof typename === 'string' ? typename : ''), value);
  };
  return write;
}
