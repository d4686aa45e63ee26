import { isAbstractType, isInterfaceType, isObjectType, type GraphQLSchema } from 'graphql';

/** Answers questions about types by name, from sets made once: plans ask them for every object of an answer. */
export interface TypeTests {
  /** Whether a value with this `__typename` fits a type condition: the type itself, or one that implements or is part of it. */
  fits(typename: string, condition: string): boolean;
  /** Whether it is the name of an object type: the only kind an object can really have. */
  isObjectType(typename: string): boolean;
  /** Whether there is such a type at all. */
  isType(typename: string): boolean;
}

export function typeTests(schema: GraphQLSchema): TypeTests {
  const fitting = new Map<string, ReadonlySet<string>>();
  const typesFitting = (condition: string): ReadonlySet<string> => {
    const known = fitting.get(condition);
    if (known) return known;
    const type = schema.getType(condition);
    const names = new Set([condition]);
    if (isAbstractType(type)) for (const { name } of schema.getPossibleTypes(type)) names.add(name);
    if (isInterfaceType(type)) for (const { name } of schema.getImplementations(type).interfaces) names.add(name);
    fitting.set(condition, names);
    return names;
  };
  return {
    fits: (typename, condition) => typename === condition || typesFitting(condition).has(typename),
    isType: (typename) => schema.getType(typename) !== undefined,
    isObjectType: (typename) => isObjectType(schema.getType(typename)),
  };
}
