import type { FetchDataKeyRenamer, FetchNode, ResponsePath } from '@apollo/query-planner';
import { accessor, isDataObject, type DataObject } from '../execute/data';
import type { TypeTests } from './types';

/** Objects with what their surroundings say for `@fromContext` arguments, by variable name. */
export interface ContextGroup {
  objects: DataObject[];
  variables: DataObject;
}

/** Splits the objects at a fetch's path by the arguments their surroundings give: a request has one value a variable. */
export type ContextArguments = (root: DataObject) => ContextGroup[];

/** A place in the data, linked to the one around it. */
interface Place {
  value: unknown;
  parent: Place | undefined;
}

/** Compiles the context rewrites of a fetch at a path; undefined when it has none. */
export function contextArguments(
  { contextRewrites }: FetchNode,
  path: ResponsePath,
  types: TypeTests,
): ContextArguments | undefined {
  if (!contextRewrites?.length) return undefined;
  const elements = path.map((element) => String(element).replace(/\|\[.*\]$/, '')).filter((element) => element !== '');
  return (root) => {
    const groups = new Map<string, ContextGroup>();
    for (const place of placesAt({ value: root, parent: undefined }, elements, 0)) {
      const variables: DataObject = {};
      for (const rewrite of contextRewrites) {
        const value = contextValue(rewrite, place, types);
        if (value !== undefined) variables[rewrite.renameKeyTo] = value;
      }
      const key = JSON.stringify(variables);
      const group = groups.get(key);
      if (group) group.objects.push(place.value as DataObject);
      else groups.set(key, { objects: [place.value as DataObject], variables });
    }
    return [...groups.values()];
  };
}

function placesAt(place: Place, elements: readonly string[], index: number): Place[] {
  const element = elements[index];
  if (element === undefined) return isDataObject(place.value) ? [place] : [];
  if (element === '@') {
    if (!Array.isArray(place.value)) return [];
    return place.value.flatMap((value) => placesAt({ value, parent: place }, elements, index + 1));
  }
  if (!isDataObject(place.value)) return [];
  return placesAt({ value: accessor(element)(place.value), parent: place }, elements, index + 1);
}

/** Follows a path like `['..', '... on Shop', 'currency']`; undefined when it does not apply here. */
function contextValue(rewrite: FetchDataKeyRenamer, place: Place, types: TypeTests): unknown {
  let around: Place | undefined = place;
  let value: unknown = place.value;
  for (const element of rewrite.path) {
    if (element === '..') {
      around = around?.parent;
      while (around && !isDataObject(around.value)) around = around.parent;
      value = around?.value;
    } else if (element.startsWith('... on ')) {
      if (!isDataObject(value)) return undefined;
      const typename = value['__typename'];
      if (typeof typename === 'string' && !types.fits(typename, element.slice('... on '.length))) return undefined;
    } else {
      value = isDataObject(value) ? accessor(element)(value) : undefined;
    }
  }
  return value;
}
