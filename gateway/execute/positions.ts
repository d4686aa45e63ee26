import type { ResponsePath } from '@apollo/query-planner';
import { isDataObject, ownValue, type DataObject } from './data';

/** A place in the data, linked to its parent so that its path is only written out when an error needs it. */
interface Place {
  value: unknown;
  key: string | number;
  parent: Place | undefined;
}

/** A place that holds an object: what a fetch reads from and merges into. */
export interface Position extends Place {
  value: DataObject;
}

/** The position of the whole data: it has no path and no parent. */
export function rootPosition(data: DataObject): Position {
  return { value: data, key: '', parent: undefined };
}

/** The path a client sees: field names and list indexes from the root. */
export function pathOf(position: Place): (string | number)[] {
  const path: (string | number)[] = [];
  for (let place: Place = position; place.parent; place = place.parent) path.unshift(place.key);
  return path;
}

/** The object around a position, lists skipped; undefined at the root. */
export function enclosing(position: Position): Position | undefined {
  let place = position.parent;
  while (place && !isDataObject(place.value)) place = place.parent;
  return place as Position | undefined;
}

/**
 * The objects at a Flatten path below each position, in the order of the data. `@` stands for every item of a list; an
 * element may end in `|[A,B]`, which keeps only objects of these types. Nulls on the way simply lead nowhere.
 */
export function positionsAt(positions: readonly Position[], path: ResponsePath): Position[] {
  const found: Position[] = [];
  const elements = path.map(parseElement);
  for (const position of positions) collect(position, elements, 0, found);
  return found;
}

interface PathElement {
  key: string;
  types: ReadonlySet<string> | undefined;
}

function parseElement(element: string | number): PathElement {
  const [, key = '', types] = /^(.*?)(?:\|\[(.*)\])?$/.exec(String(element)) ?? [];
  return { key, types: types === undefined ? undefined : new Set(types.split(',')) };
}

function collect(place: Place, elements: readonly PathElement[], index: number, found: Position[]): void {
  const element = elements[index];
  if (!element) {
    if (isDataObject(place.value)) found.push(place as Position);
    return;
  }
  const visit = (value: unknown, key: string | number): void => {
    if (value === null || value === undefined) return;
    if (element.types && !(isDataObject(value) && element.types.has(String(ownValue(value, '__typename'))))) return;
    collect({ value, key, parent: place }, elements, index + 1, found);
  };
  if (element.key === '') {
    if (
      !element.types ||
      (isDataObject(place.value) && element.types.has(String(ownValue(place.value, '__typename'))))
    ) {
      collect(place, elements, index + 1, found);
    }
  } else if (element.key === '@') {
    if (Array.isArray(place.value)) for (const [at, item] of place.value.entries()) visit(item, at);
  } else if (isDataObject(place.value)) {
    visit(ownValue(place.value, element.key), element.key);
  }
}
