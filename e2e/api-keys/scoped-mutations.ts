import {
  buildSchema,
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isListType,
  isRequiredArgument,
  isRequiredInputField,
  type ConstDirectiveNode,
  type GraphQLField,
  type GraphQLInputType,
  type ListValueNode,
  type StringValueNode,
} from 'graphql';
import { readRepositoryFile } from '../../platform/root';

/** `uploads` are the places of files in the request (GraphQL multipart request specification). */
export type ScopedMutation = [name: string, scopes: string[][], document: string, variables: object, uploads: string[]];

/** What a scalar may be, when nothing but its form matters. */
const SCALARS: Record<string, unknown> = {
  String: 'x',
  ID: 'x',
  Int: 1,
  Float: 1,
  Boolean: true,
  DateTime: '2030-01-01T00:00:00.000Z',
  LanguageTag: 'en',
  URL: 'https://sauti.example/',
  JSON: {},
  Long: 1,
  Upload: null,
};

/** Every mutation of the supergraph that asks for scopes, with a document and variables that are valid in form. */
export function scopedMutations(): ScopedMutation[] {
  const schema = buildSchema(readRepositoryFile('gateway/supergraph.graphql'), { assumeValidSDL: true });
  return Object.values(schema.getMutationType()!.getFields()).flatMap((field) => {
    const directive = field.astNode!.directives!.find(({ name }) => name.value === 'requiresScopes');
    return directive ? [mutationOf(field, scopesIn(directive))] : [];
  });
}

function mutationOf({ name, args }: GraphQLField<unknown, unknown>, scopes: string[][]): ScopedMutation {
  const required = args.filter(isRequiredArgument);
  const declared = required.map((argument) => `$${argument.name}: ${String(argument.type)}`).join(', ');
  const given = required.map((argument) => `${argument.name}: $${argument.name}`).join(', ');
  const inBrackets = (text: string): string => (text ? `(${text})` : '');
  const document = `mutation ${inBrackets(declared)} { ${name}${inBrackets(given)} { __typename } }`;
  const variables = Object.fromEntries(required.map((one) => [one.name, valueOf(one.type)]));
  return [name, scopes, document, variables, nullsIn(variables, 'variables')];
}

function scopesIn(directive: ConstDirectiveNode): string[][] {
  const { values } = directive.arguments![0]!.value as ListValueNode;
  return values.map((all) => (all as ListValueNode).values.map((scope) => (scope as StringValueNode).value));
}

/** The least value of a type: required fields only. */
function valueOf(type: GraphQLInputType): unknown {
  const present = getNullableType(type);
  if (isListType(present)) return [];
  if (isInputObjectType(present)) {
    const required = Object.values(present.getFields()).filter(isRequiredInputField);
    return Object.fromEntries(required.map((field) => [field.name, valueOf(field.type)]));
  }
  return isEnumType(present) ? present.getValues()[0]!.name : SCALARS[getNamedType(present).name];
}

/** Files only: nothing else that is required can be null. */
function nullsIn(value: unknown, path: string): string[] {
  if (value === null) return [path];
  if (typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([name, part]) => nullsIn(part, `${path}.${name}`));
}
