import { copyOf, setValue, type DataObject } from '../../execute/data';
import type { SelectedFields } from './selection';

/** The response names that a selection set has, with what is selected below them; null for leaves. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- a type alias cannot name itself here
export interface Projection extends ReadonlyMap<string, Projection | null> {}

type Growing = Map<string, Growing | null>;

/** What one selection gets of an answer to the union of several. */
export function projectionOf(fields: SelectedFields): Projection {
  const root: Growing = new Map();
  for (const { path } of fields) {
    const names = path.split('.');
    const last = names.pop()!;
    let level = root;
    for (const name of names) {
      const below = level.get(name) ?? new Map<string, Growing | null>();
      level.set(name, below);
      level = below;
    }
    if (!level.has(last)) level.set(last, null);
  }
  return root;
}

/** A copy of a value with nothing in it but what is wanted. */
export function project(value: unknown, wanted: Projection | null): unknown {
  if (wanted === null || typeof value !== 'object' || value === null) return copyOf(value);
  if (Array.isArray(value)) return value.map((item: unknown) => project(item, wanted));
  const picked: DataObject = {};
  for (const [name, inner] of wanted) {
    if (Object.hasOwn(value, name)) setValue(picked, name, project((value as DataObject)[name], inner));
  }
  return picked;
}

/** How many steps of a path, given from where the projection begins, are within it: all of them, or as far as it goes. */
export function stepsWithin(path: readonly unknown[], wanted: Projection): number {
  let level: Projection | null = wanted;
  for (const [index, step] of path.entries()) {
    if (typeof step !== 'string') continue;
    // What is below a leaf is part of it: a scalar can be an object.
    if (level === null) return path.length;
    const below: Projection | null | undefined = level.get(step);
    if (below === undefined) return index;
    level = below;
  }
  return path.length;
}

/** Whether there is nothing at a path, or null somewhere on the way to it. */
export function isEmptyAt(value: unknown, path: readonly unknown[]): boolean {
  let at = value;
  for (const step of path) {
    if (typeof at !== 'object' || at === null) return true;
    at = Object.hasOwn(at, String(step)) ? (at as DataObject)[String(step)] : undefined;
  }
  return at === undefined || at === null;
}
