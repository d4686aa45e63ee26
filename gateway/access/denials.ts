import { isAbstractType, type GraphQLSchema } from 'graphql';
import { refusalText, type Rule } from '../../platform/identity/rules';
import type { Requirements } from './requirements';

/** That a field, or an object of a type, is not for a caller. One object for each field and type. */
export interface Denial {
  /** What a signed-in caller is told; an anonymous one is told to sign in. */
  message: string;
}

/** What is not for callers for whom certain rules do not hold. */
export interface Denials {
  /** Of a field of an object or interface type; of the latter when it is not for some object with that interface. */
  field(typename: string, field: string): Denial | undefined;
  /** Of being shown an object of a type; of an interface or union when that is so for some of its object types. */
  type(typename: string): Denial | undefined;
}

/** `failed` are the `id`s of rules that do not hold. */
export function createDenials(requirements: Requirements, failed: ReadonlySet<string>, schema: GraphQLSchema): Denials {
  const known = new Map<string, Denial | undefined>();
  const denialOf = (coordinate: string, rules: (typename: string) => readonly Rule[]): Denial | undefined => {
    if (known.has(coordinate)) return known.get(coordinate);
    const [typename] = coordinate.split('.') as [string];
    const type = schema.getType(typename);
    const possible = isAbstractType(type) ? schema.getPossibleTypes(type).map(({ name }) => name) : [typename];
    const broken = possible.flatMap((name) => rules(name)).filter(({ id }) => failed.has(id));
    const denial = broken.length > 0 ? { message: refusalText(coordinate, broken) } : undefined;
    // Of names that nobody knows there is no end.
    if (type) known.set(coordinate, denial);
    return denial;
  };
  return {
    field: (typename, field) => denialOf(`${typename}.${field}`, (name) => requirements.ofField(name, field)),
    type: (typename) => denialOf(typename, (name) => requirements.ofType(name)),
  };
}
