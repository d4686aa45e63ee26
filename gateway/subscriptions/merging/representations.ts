import { itemsOf } from './json-text';
import type { MergedRequest } from './requests';

/** The representations that one `_entities` field is asked about. */
export interface Representations {
  /** As JSON. */
  text: string;
  /** How many they are; undefined when nobody has counted. */
  count: number | undefined;
  /** Where those of one list are, in its order; undefined when they are just that list. */
  placesOf: (list: number) => readonly number[] | undefined;
}

/** What the variables for representations of a request get, of lists given as JSON by their numbers. */
export function joinLists({ lists }: MergedRequest, texts: readonly string[]): Representations[] {
  return lists.map(({ lists: numbers }) => {
    const [only, ...others] = numbers;
    if (others.length === 0) return { text: texts[only!]!, count: undefined, placesOf: () => undefined };
    return union(numbers, texts);
  });
}

/** All representations of several lists, each once. */
function union(numbers: readonly number[], texts: readonly string[]): Representations {
  const found = new Map<string, number>();
  const places = new Map<number, number[]>();
  for (const number of numbers) {
    const own = itemsOf(texts[number]!).map((item) => {
      const at = found.get(item) ?? found.size;
      found.set(item, at);
      return at;
    });
    places.set(number, own);
  }
  return { text: `[${[...found.keys()].join(',')}]`, count: found.size, placesOf: (list) => places.get(list) };
}
