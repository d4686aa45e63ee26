import { suggestionList } from 'graphql/jsutils/suggestionList';

/** What to say of a name nobody knows, e.g. `"deadline" is unknown; did you mean "deadlineMs"?`. */
export function unknownName(name: string, known: readonly string[]): string {
  const nearest = suggestionList(name, known)[0];
  return `"${name}" is unknown; ${nearest ? `did you mean "${nearest}"?` : `known are ${known.join(', ')}`}`;
}
