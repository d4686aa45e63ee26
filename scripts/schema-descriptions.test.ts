import { isEnumType, isInputObjectType, isInterfaceType, isObjectType, isSpecifiedScalarType } from 'graphql';
import { loadSupergraph } from '../gateway/supergraph/supergraph';
import { readRepositoryFile } from '../platform/root';

test('every type, field, argument and enum value that a client sees is described', async () => {
  await using supergraph = await loadSupergraph(readRepositoryFile('gateway/supergraph.graphql'));
  const { apiSchema } = supergraph;
  const undescribed: string[] = [];
  const check = (name: string, described: { description?: string | null }): void => {
    if (!described.description?.trim()) undescribed.push(name);
  };
  for (const type of Object.values(apiSchema.getTypeMap())) {
    if (type.name.startsWith('__') || isSpecifiedScalarType(type)) continue;
    check(type.name, type);
    if (isEnumType(type)) type.getValues().forEach((value) => check(`${type.name}.${value.name}`, value));
    if (isObjectType(type) || isInterfaceType(type)) {
      for (const field of Object.values(type.getFields())) {
        check(`${type.name}.${field.name}`, field);
        field.args.forEach((argument) => check(`${type.name}.${field.name}(${argument.name}:)`, argument));
      }
    }
    if (isInputObjectType(type)) {
      for (const field of Object.values(type.getFields())) check(`${type.name}.${field.name}`, field);
    }
  }
  expect(undescribed).toEqual([]);
});
