import type { ResponsePath } from '@apollo/query-planner';
import { accessor, isDataObject, setValue, type Accessor, type DataObject } from '../execute/data';
import type { TypeTests } from './types';

/** Where the objects of a fetch are: field names and lists on the way from the root of the data. */
export interface FlattenPath {
  /**
   * Visits the objects at this path in the order of the data; nulls on the way simply lead nowhere. What the visitor
   * returns takes the object's place. With `isShared`, which says that some objects stand at several places, each is
   * visited once.
   */
  visit(root: DataObject, isShared: boolean, visitor: (object: DataObject) => DataObject): void;
  /** The objects that `visit` would visit. */
  collect(root: DataObject, isShared: boolean): DataObject[];
  /**
   * Tells the paths a client sees of those objects that are among `wanted`, in the order of the data, until `visit`
   * returns false. A shared object has several; of very many places only the first are looked at. Walks all of the data:
   * for errors and what is deferred only.
   */
  locate(
    root: DataObject,
    wanted: ReadonlySet<unknown>,
    visit: (object: DataObject, at: (string | number)[]) => boolean,
  ): void;
  /** The field names on the way, lists left out. */
  keys: readonly string[];
}

/** Places one walk for `locate` looks at: with sharing, little data stands at more than anybody can count. */
const MAX_ENDS = 100_000;

interface Step {
  /** Undefined for the items of a list. */
  key: string | undefined;
  get: Accessor;
  /** Keeps only objects of these types. */
  accepts: ((value: unknown) => boolean) | undefined;
}

/**
 * Compiles a Flatten path of a plan. `@` stands for every item of a list; an element may end in `|[A,B]`, which keeps
 * only objects of these types.
 */
export function flattenPath(path: ResponsePath, types: TypeTests): FlattenPath {
  const steps = path.flatMap((element) => stepsOf(String(element), types));
  const last = steps.at(-1);
  const visit: FlattenPath['visit'] = (root, isShared, visitor) => {
    if (!last) return void visitor(root);
    let level: unknown[] = [root];
    for (let index = 0; index < steps.length - 1; index++) {
      level = advance(level, steps[index]!);
      if (isShared) level = [...new Set(level)];
    }
    visitChildren(level, last, isShared ? once(visitor) : visitor);
  };
  return {
    keys: steps.flatMap(({ key }) => (key === undefined || key === '' ? [] : [key])),
    visit,
    collect(root, isShared) {
      const found: DataObject[] = [];
      visit(root, isShared, (object) => {
        found.push(object);
        return object;
      });
      return found;
    },
    locate(root, wanted, visitor) {
      let ends = 0;
      search(root, steps, 0, [], (value, at) => {
        if (++ends > MAX_ENDS) return false;
        return !wanted.has(value) || visitor(value as DataObject, [...at]);
      });
    },
  };
}

/** A visitor that sees each object once; what took its place takes it wherever the object stands. */
function once(visitor: (object: DataObject) => DataObject): (object: DataObject) => DataObject {
  const kept = new Map<DataObject, DataObject>();
  return (object) => {
    const known = kept.get(object);
    if (known) return known;
    const inPlace = visitor(object);
    kept.set(object, inPlace);
    return inPlace;
  };
}

function visitChildren(
  level: readonly unknown[],
  { key, get, accepts }: Step,
  visitor: (object: DataObject) => DataObject,
): void {
  const visit = (child: unknown): unknown =>
    isDataObject(child) && (!accepts || accepts(child)) ? visitor(child) : child;
  for (let index = 0; index < level.length; index++) {
    const value = level[index];
    if (key !== undefined) {
      if (!isDataObject(value)) continue;
      const child = get(value);
      const kept = visit(child);
      if (kept !== child) setValue(value, key, kept);
    } else if (Array.isArray(value)) {
      for (let at = 0; at < value.length; at++) {
        const child: unknown = value[at];
        const kept = visit(child);
        if (kept !== child) value[at] = kept;
      }
    }
  }
}

const SELF: Accessor = (object) => object;

function stepsOf(element: string, types: TypeTests): Step[] {
  const [, name = '', filter] = /^(.*?)(?:\|\[(.*)\])?$/.exec(element) ?? [];
  const accepted = filter?.split(',');
  const accepts = accepted
    ? (value: unknown): boolean => {
        const typename = isDataObject(value) ? value['__typename'] : undefined;
        return typeof typename === 'string' && accepted.some((type) => types.fits(typename, type));
      }
    : undefined;
  if (name === '@') return [{ key: undefined, get: SELF, accepts }];
  return [{ key: name === '' ? '' : name, get: name === '' ? SELF : accessor(name), accepts }];
}

function advance(level: readonly unknown[], { key, get, accepts }: Step): unknown[] {
  const next: unknown[] = [];
  for (let index = 0; index < level.length; index++) {
    const value = level[index];
    if (key !== undefined) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) continue;
      const child = get(value as DataObject);
      if (child !== null && child !== undefined && (!accepts || accepts(child))) next.push(child);
    } else if (Array.isArray(value)) {
      for (let at = 0; at < value.length; at++) {
        const item: unknown = value[at];
        if (item !== null && item !== undefined && (!accepts || accepts(item))) next.push(item);
      }
    }
  }
  return next;
}

/** Depth first, in the order of the data; `visit` ends the search by returning false. */
function search(
  value: unknown,
  steps: readonly Step[],
  index: number,
  at: (string | number)[],
  visit: (value: unknown, at: readonly (string | number)[]) => boolean,
): boolean {
  const step = steps[index];
  if (!step) return visit(value, at);
  const { key, get, accepts } = step;
  if (key === undefined) {
    if (!Array.isArray(value)) return true;
    return value.every((item, position) => {
      if (item === null || (accepts && !accepts(item))) return true;
      at.push(position);
      const goesOn = search(item, steps, index + 1, at, visit);
      at.pop();
      return goesOn;
    });
  }
  const child = isDataObject(value) ? get(value) : undefined;
  if (child === undefined || child === null || (accepts && !accepts(child))) return true;
  if (key !== '') at.push(key);
  const goesOn = search(child, steps, index + 1, at, visit);
  if (key !== '') at.pop();
  return goesOn;
}
