import { buildSchema, isAbstractType, isObjectType, printSchema, type GraphQLSchema } from 'graphql';
import type { Ref } from './field-sets';
import type { HashWorld } from './world';

/** One schema that knows the whole world: what a gateway's answers must equal. */
export function unsplitSchema(apiSchema: GraphQLSchema, world: HashWorld): GraphQLSchema {
  const schema = buildSchema(printSchema(apiSchema));
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith('__')) continue;
    if (isAbstractType(type)) type.resolveType = (object: Ref) => object.type;
    if (!isObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      field.resolve = (parent: Ref | undefined, args: object) => {
        const object = parent ?? { type: type.name, n: 0 };
        return world.valueOf(object, field.name, args, world.requiredOf(object, field.name));
      };
    }
  }
  return schema;
}
