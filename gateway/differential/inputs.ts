import {
  getNullableType,
  GraphQLBoolean,
  GraphQLNonNull,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isRequiredArgument,
  isRequiredInputField,
  isScalarType,
  Kind,
  parseType,
  parseValue,
  print,
  type ConstValueNode,
  type GraphQLArgument,
  type GraphQLInputField,
  type GraphQLInputType,
  type ValueNode,
  type VariableDefinitionNode,
} from 'graphql';
import type { Random } from './random';

/** The variables of an operation that is being made: their definitions, and the values sent with it. */
export interface Variables {
  definitions: VariableDefinitionNode[];
  values: Record<string, unknown>;
}

/** Makes values for arguments: literals, variables, and literals with variables inside. */
export interface Inputs {
  /** A value for an argument; undefined leaves it out. Required arguments get one always. */
  argument(argument: GraphQLArgument): ValueNode | undefined;
  /** A value for the `if` of @include or @skip. */
  condition(): ValueNode;
}

/** Texts that are awkward to print, escape or key by. */
const STRINGS = ['', 'a', 'b c', '"', '\\', 'line\nbreak', '😀', '__proto__', '$v0', '{a: 1}'];
const DEEPEST = 3;
const CONDITION_TYPE = new GraphQLNonNull(GraphQLBoolean);

/** Whether a value of this type can be written at all: a file has no literal and no JSON. */
export function isWritable(type: GraphQLInputType): boolean {
  const nullable = getNullableType(type);
  if (isListType(nullable)) return isWritable(nullable.ofType);
  if (isScalarType(nullable)) return nullable.name !== 'Upload';
  if (!isInputObjectType(nullable)) return true;
  return Object.values(nullable.getFields()).every((field) => !isRequiredInputField(field) || isWritable(field.type));
}

/** Inputs that note their variables in `variables`. */
export function createInputs(random: Random, variables: Variables): Inputs {
  const slot = (type: GraphQLInputType, depth: number, isOpen: boolean): ValueNode =>
    isOpen && random.chance(depth === 0 ? 0.4 : 0.2) ? variable(type) : literal(type, depth, isOpen);

  const literal = (type: GraphQLInputType, depth: number, isOpen: boolean): ValueNode =>
    !isNonNullType(type) && random.chance(0.08)
      ? { kind: Kind.NULL }
      : presentLiteral(getNullableType(type), depth, isOpen);

  const presentLiteral = (type: GraphQLInputType, depth: number, isOpen: boolean): ValueNode => {
    if (isListType(type)) {
      const item = type.ofType;
      // One value stands for a list of one.
      if (!isListType(getNullableType(item)) && random.chance(0.15))
        return presentLiteral(getNullableType(item), depth, false);
      return {
        kind: Kind.LIST,
        values: Array.from({ length: random.below(3) }, () => slot(item, depth + 1, isOpen)),
      };
    }
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields()).filter((field) => isChosen(field, depth));
      return {
        kind: Kind.OBJECT,
        fields: fields.map((field) => ({
          kind: Kind.OBJECT_FIELD,
          name: { kind: Kind.NAME, value: field.name },
          value: slot(field.type, depth + 1, isOpen),
        })),
      };
    }
    if (isEnumType(type)) return { kind: Kind.ENUM, value: random.pick(type.getValues()).name };
    return scalarLiteral(String(type));
  };

  const isChosen = (field: GraphQLInputField, depth: number): boolean =>
    isRequiredInputField(field) || (isWritable(field.type) && depth < DEEPEST && random.chance(0.45));

  const scalarLiteral = (name: string): ValueNode => {
    const integer = { kind: Kind.INT, value: String(random.below(40) - 5) } as const;
    switch (name) {
      case 'Int':
      case 'Long':
        return integer;
      case 'Float':
        return random.chance(0.3) ? integer : { kind: Kind.FLOAT, value: random.pick(['0.5', '-1.25', '1e3', '2.0']) };
      case 'Boolean':
        return { kind: Kind.BOOLEAN, value: random.chance(0.5) };
      case 'JSON':
        return parseValue(random.pick(['{a: [1, null, {b: "c"}]}', '"text"', '[1.5, true]', '7']), {
          noLocation: true,
        });
      default:
        if (name === 'ID' && random.chance(0.2)) return integer;
        return { kind: Kind.STRING, value: random.pick(STRINGS) };
    }
  };

  /** A variable that may stand where this type is asked for: one that exists, or a new one. */
  const variable = (type: GraphQLInputType): ValueNode => {
    const known = variables.definitions.filter((definition) => fits(definition, String(type), variables.values));
    if (known.length > 0 && random.chance(0.5)) return random.pick(known).variable;
    const definition = isNonNullType(type) && random.chance(0.25) ? withDefault(type) : withoutNeed(type);
    variables.definitions.push(definition);
    return definition.variable;
  };

  const define = (type: string, defaultValue?: ValueNode): VariableDefinitionNode => ({
    kind: Kind.VARIABLE_DEFINITION,
    variable: { kind: Kind.VARIABLE, name: { kind: Kind.NAME, value: `v${variables.definitions.length}` } },
    type: parseType(type, { noLocation: true }),
    // Not open, so there are no variables in it.
    ...(defaultValue ? { defaultValue: defaultValue as ConstValueNode } : {}),
  });

  /** `$v: T = default` where `T!` is asked for: its value may be left out but not be null. */
  const withDefault = (type: GraphQLInputType): VariableDefinitionNode => {
    const nullable = getNullableType(type);
    const definition = define(String(nullable), presentLiteral(nullable, 1, false));
    if (random.chance(0.6)) send(definition, presentLiteral(nullable, 1, false));
    return definition;
  };

  const withoutNeed = (type: GraphQLInputType): VariableDefinitionNode => {
    const isRequired = isNonNullType(type) || random.chance(0.2);
    const nullable = getNullableType(type);
    const definition = isRequired
      ? define(`${String(nullable)}!`)
      : define(String(nullable), random.chance(0.3) ? literal(nullable, 1, false) : undefined);
    if (isRequired || random.chance(0.75))
      send(definition, isRequired ? presentLiteral(nullable, 1, false) : literal(nullable, 1, false));
    return definition;
  };

  const send = ({ variable: { name } }: VariableDefinitionNode, value: ValueNode): void => {
    variables.values[name.value] = toJson(value);
  };

  return {
    argument: (argument) =>
      isRequiredArgument(argument) || (isWritable(argument.type) && random.chance(0.5))
        ? slot(argument.type, 0, true)
        : undefined,
    condition: () =>
      random.chance(0.4) ? { kind: Kind.BOOLEAN, value: random.chance(0.6) } : variable(CONDITION_TYPE),
  };
}

/** Whether the variable may be used where a value of this type is asked for. */
function fits(
  { variable, type, defaultValue }: VariableDefinitionNode,
  wanted: string,
  values: Variables['values'],
): boolean {
  const own = print(type);
  const isSure =
    defaultValue !== undefined &&
    defaultValue.kind !== Kind.NULL &&
    !own.endsWith('!') &&
    values[variable.name.value] !== null;
  return own === wanted || own === `${wanted}!` || (isSure && `${own}!` === wanted);
}

function toJson(node: ValueNode): unknown {
  switch (node.kind) {
    case Kind.NULL:
      return null;
    case Kind.INT:
    case Kind.FLOAT:
      return Number(node.value);
    case Kind.LIST:
      return node.values.map(toJson);
    case Kind.OBJECT:
      return Object.fromEntries(node.fields.map(({ name, value }) => [name.value, toJson(value)]));
    case Kind.VARIABLE:
      throw new Error('A value that is sent cannot name a variable.');
    default:
      return node.value;
  }
}
