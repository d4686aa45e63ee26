import type { FetchDataRewrite } from '@apollo/query-planner';
import { accessor, isDataObject, setValue, type DataObject } from '../execute/data';
import type { TypeTests } from './types';

/** Changes a value in place. */
export type Rewrite = (value: unknown) => void;

const FRAGMENT_PREFIX = '... on ';

/** Compiles the data rewrites of a fetch; undefined when it has none. */
export function compileRewrites(
  rewrites: readonly FetchDataRewrite[] | undefined,
  types: TypeTests,
): Rewrite | undefined {
  if (!rewrites?.length) return undefined;
  const compiled = rewrites.map((rewrite) => compileRewrite(rewrite, types));
  return (value) => {
    for (const rewrite of compiled) rewrite(value);
  };
}

function compileRewrite(rewrite: FetchDataRewrite, types: TypeTests): Rewrite {
  const key = rewrite.path.at(-1) ?? '';
  const get = accessor(key);
  const change =
    rewrite.kind === 'ValueSetter'
      ? (object: DataObject): void => setValue(object, key, rewrite.setValueTo)
      : (object: DataObject): void => {
          const value = get(object);
          if (value === undefined) return;
          setValue(object, rewrite.renameKeyTo, value);
          setValue(object, key, undefined);
        };
  return rewrite.path.slice(0, -1).reduceRight<Rewrite>(
    (inner, element) => atElement(element, inner, types),
    (value) => {
      if (isDataObject(value)) change(value);
    },
  );
}

/** Applies `inner` to what one path element leads to; lists are passed through, item by item. */
function atElement(element: string, inner: Rewrite, types: TypeTests): Rewrite {
  const onObject = element.startsWith(FRAGMENT_PREFIX)
    ? onType(element.slice(FRAGMENT_PREFIX.length), inner, types)
    : onKey(element, inner);
  const throughLists: Rewrite = (value) => {
    if (Array.isArray(value)) for (const item of value) throughLists(item);
    else if (isDataObject(value)) onObject(value);
  };
  return throughLists;
}

function onKey(key: string, inner: Rewrite): (object: DataObject) => void {
  const get = accessor(key);
  const each: Rewrite = (value) => {
    if (Array.isArray(value)) for (const item of value) each(item);
    else inner(value);
  };
  return (object) => each(get(object));
}

/** An object that does not say its type counts as fitting: then there is only one it can have. */
function onType(condition: string, inner: Rewrite, types: TypeTests): (object: DataObject) => void {
  return (object) => {
    const typename = object['__typename'];
    if (typeof typename !== 'string' || types.fits(typename, condition)) inner(object);
  };
}
