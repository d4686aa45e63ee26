import { variableTexts } from './json-text';
import type { EntitiesOperation } from './operation';
import type { CallShape } from './requests';

/** Calls without what tells one event from another, and that apart from them. */
export interface ShapedCalls {
  shapes: readonly CallShape[];
  /** Equal for calls that merge the same way. */
  key: string;
  /** JSON of lists of representations, by their numbers. */
  lists: readonly string[];
  /** JSON of values of variables, by their numbers; undefined for those that are not given. */
  values: readonly (string | undefined)[];
}

/** Numbers what calls ask about; in the same order the same calls get the same numbers. */
export function shapeCalls(
  calls: readonly { operation: EntitiesOperation; variablesText: string; isApart: boolean }[],
): ShapedCalls {
  const lists = new Numbers<string>();
  const values = new Numbers<string | undefined>();
  // Most have the same variables, which may be long.
  const read = new Map<string, ReadonlyMap<string, string>>();
  let key = '';
  const shapes = calls.map(({ operation, variablesText, isApart }): CallShape => {
    const texts = read.get(variablesText) ?? variableTexts(variablesText);
    read.set(variablesText, texts);
    const shape = {
      operation,
      isApart,
      lists: operation.parts.map(({ variable }) => {
        const text = texts.get(variable) ?? '[]';
        return lists.of(text, text);
      }),
      values: operation.variables.map(({ name, definition }) => {
        const text = texts.get(name);
        return values.of(`${definition}=${text ?? ''}`, text);
      }),
    };
    key += `${operation.id}${isApart ? '!' : ''}:${shape.lists.join()}:${shape.values.join()};`;
    return shape;
  });
  return { shapes, key, lists: lists.all, values: values.all };
}

/** Gives things numbers, equal ones the same. */
class Numbers<Thing> {
  readonly all: Thing[] = [];
  private readonly known = new Map<string, number>();

  of(key: string, thing: Thing): number {
    const known = this.known.get(key);
    if (known !== undefined) return known;
    this.known.set(key, this.all.length);
    return this.all.push(thing) - 1;
  }
}
