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

/**
 * Merges what another fetch delivered into `target`. Objects merge key by key, lists of equal length item by item;
 * otherwise the later value wins, except that null never removes what another subgraph delivered.
 */
export function mergeInto(target: DataObject, source: DataObject): void {
  for (const key of Object.keys(source)) {
    const value = source[key];
    if (value !== undefined) setValue(target, key, merged(ownValue(target, key), value));
  }
}

function merged(existing: unknown, value: unknown): unknown {
  if (existing === value || existing === undefined || existing === null) return value;
  if (value === null) return existing;
  if (isDataObject(existing) && isDataObject(value)) {
    mergeInto(existing, value);
    return existing;
  }
  if (Array.isArray(existing) && Array.isArray(value) && existing.length === value.length) {
    for (const [index, item] of value.entries()) existing[index] = merged(existing[index], item);
    return existing;
  }
  return value;
}
