import {
  Kind,
  parse,
  visit,
  type DocumentNode,
  type InputValueDefinitionNode,
  type ObjectTypeDefinitionNode,
  type TypeNode,
} from 'graphql';

/**
 * Every place of a subgraph's schema where a caller names an object by its id: arguments and fields of inputs of the type
 * ID, as `Query.media.id` or `Mutation.editSegment.input.speakerId`, and entities that it resolves, as `_entities.Media`.
 */
export function idPlaces(typeDefs: string): string[] {
  const document = parse(typeDefs);
  const inputs = inputsOf(document);
  const places: string[] = [];
  const addBelow = (place: string, type: TypeNode, passed: readonly string[]): void => {
    const name = nameOf(type);
    if (name === 'ID') places.push(place);
    if (passed.includes(name)) return;
    for (const field of inputs.get(name) ?? []) addBelow(`${place}.${field.name.value}`, field.type, [...passed, name]);
  };
  visit(document, {
    ObjectTypeDefinition(type) {
      if (isResolved(type)) places.push(`_entities.${type.name.value}`);
      for (const field of type.fields ?? []) {
        for (const argument of field.arguments ?? []) {
          addBelow(`${type.name.value}.${field.name.value}.${argument.name.value}`, argument.type, []);
        }
      }
    },
  });
  return places.sort();
}

function inputsOf(document: DocumentNode): Map<string, readonly InputValueDefinitionNode[]> {
  const types = document.definitions.filter((one) => one.kind === Kind.INPUT_OBJECT_TYPE_DEFINITION);
  return new Map(types.map(({ name, fields }) => [name.value, fields ?? []]));
}

function nameOf(type: TypeNode): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : nameOf(type.type);
}

/** An entity of which this subgraph knows more than the key. */
function isResolved({ directives }: ObjectTypeDefinitionNode): boolean {
  const key = directives?.find(({ name }) => name.value === 'key');
  const resolvable = key?.arguments?.find(({ name }) => name.value === 'resolvable')?.value;
  return key !== undefined && !(resolvable?.kind === Kind.BOOLEAN && !resolvable.value);
}
