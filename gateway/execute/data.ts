/** A JSON object on its way from a subgraph to the client. Keys come from outside: they are never looked up on a prototype. */
export type DataObject = Record<string, unknown>;

/** Whether a value of the data is an object: neither null nor a list nor a scalar. */
export function isDataObject(value: unknown): value is DataObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value of a key the object itself has. */
export function ownValue(object: DataObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Sets a key as data, also one like `__proto__` that an assignment would take for something else. */
export function setValue(object: DataObject, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(object, key, { value, configurable: true, enumerable: true, writable: true });
  else object[key] = value;
}

/** Reads one key of the data. */
export type Accessor = (object: DataObject) => unknown;

/** An {@link Accessor} for a name known beforehand: plain property access, unless every object inherits such a name. */
export function accessor(key: string): Accessor {
  return key in Object.prototype ? (object) => ownValue(object, key) : (object) => object[key];
}

/** Which of two type names an object keeps: an interface's name gives way to that of the object type behind it. */
export type KeepTypename = (existing: string) => boolean;

/**
 * Merges what another fetch delivered into `target`. Objects merge key by key, lists of equal length item by item;
 * otherwise the later value wins, except that null never removes what another subgraph delivered.
 */
export function mergeInto(target: DataObject, source: DataObject, keepTypename: KeepTypename): void {
  for (const key in source) {
    const value = source[key];
    if (value === undefined) continue;
    // What is inherited is a function of Object.prototype (or, for `__proto__`, an object): no data.
    const found = key === '__proto__' ? ownValue(target, key) : target[key];
    const existing = typeof found === 'function' ? undefined : found;
    if (existing === undefined || existing === null) setValue(target, key, value);
    else if (key !== '__typename' || !keepTypename(existing as string))
      setValue(target, key, merged(existing, value, keepTypename));
  }
}

function merged(existing: unknown, value: unknown, keepTypename: KeepTypename): unknown {
  if (existing === value || value === null) return existing;
  if (typeof value !== 'object' || typeof existing !== 'object') return value;
  if (isDataObject(existing) && isDataObject(value)) {
    mergeInto(existing, value, keepTypename);
    return existing;
  }
  if (Array.isArray(existing) && Array.isArray(value) && existing.length === value.length) {
    const items: unknown[] = existing;
    for (const [index, item] of (value as unknown[]).entries()) {
      const before = items[index];
      items[index] = before === undefined || before === null ? item : merged(before, item, keepTypename);
    }
    return existing;
  }
  return value;
}

/** A copy that shares no object with the original. */
export function copyOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item: unknown) => copyOf(item));
  const copy: DataObject = {};
  for (const key of Object.keys(value)) setValue(copy, key, copyOf((value as DataObject)[key]));
  return copy;
}
