import {
  Kind,
  parse,
  valueFromASTUntyped,
  type ArgumentNode,
  type FieldNode,
  type GraphQLField,
  type OperationDefinitionNode,
  type ValueNode,
  type VariableDefinitionNode,
} from 'graphql';
import { ownValue, type DataObject } from '../execute/data';
import type { StreamField } from '../supergraph/stream-field';

/** Where in a stream a subscriber starts. */
export interface StreamPosition {
  /** Behind the event with this cursor; undefined: as the field does it by itself. */
  after: string | undefined;
  /** With the present state, if there is no cursor. */
  snapshot: boolean;
}

/** The arguments of a subscription's field that say where it starts, made variables of ours. */
export interface StartArguments {
  /** The field with the variables in place of what the client gave. */
  root: FieldNode;
  definitions: readonly VariableDefinitionNode[];
  /** What the client gave. */
  given(variables: Record<string, unknown>): StreamPosition;
  /** The other arguments of the field. */
  others(variables: Record<string, unknown>): DataObject;
  /** The values of the variables for a position. */
  variables(position: StreamPosition): DataObject;
}

type Name = 'after' | 'snapshot';

/** `prefix` begins the names of the variables; no other name of the operation may begin so. */
export function startArguments(
  root: FieldNode,
  known: GraphQLField<unknown, unknown>,
  field: StreamField,
  prefix: string,
): StartArguments {
  const wanted = [
    { name: 'after', argument: field.after },
    { name: 'snapshot', argument: field.askSnapshot },
  ] as const;
  const replaced = wanted.flatMap(({ name, argument }) => {
    const type = known.args.find((arg) => arg.name === argument)?.type;
    if (argument === undefined || !type) return [];
    const value = root.arguments?.find((node) => node.name.value === argument)?.value;
    return [{ name, argument, variable: `${prefix}_${name}`, type: String(type).replace(/!$/, ''), value }];
  });
  const others = root.arguments?.filter((node) => !replaced.some(({ argument }) => argument === node.name.value)) ?? [];
  const valueOf = (name: Name, variables: Record<string, unknown>): unknown =>
    givenValue(replaced.find((each) => each.name === name)?.value, variables);
  const variableOf = (name: Name): string | undefined => replaced.find((each) => each.name === name)?.variable;
  return {
    root: {
      ...root,
      arguments: [...others, ...replaced.map(({ argument, variable }) => argumentOf(argument, variable))],
    },
    definitions: replaced.map(({ variable, type }) => definitionOf(`$${variable}: ${type}`)),
    given(variables) {
      const after = valueOf('after', variables);
      return {
        after: typeof after === 'string' ? after : undefined,
        snapshot: valueOf('snapshot', variables) === true,
      };
    },
    others: (variables) =>
      Object.fromEntries(others.map((node) => [node.name.value, valueFromASTUntyped(node.value, variables)])),
    variables({ after, snapshot }) {
      const [afterName, snapshotName] = [variableOf('after'), variableOf('snapshot')];
      return {
        ...(afterName !== undefined && after !== undefined ? { [afterName]: after } : {}),
        ...(snapshotName !== undefined && snapshot ? { [snapshotName]: true } : {}),
      };
    },
  };
}

function givenValue(value: ValueNode | undefined, variables: Record<string, unknown>): unknown {
  if (value?.kind === Kind.VARIABLE) return ownValue(variables, value.name.value);
  return value && 'value' in value ? value.value : undefined;
}

function argumentOf(name: string, variable: string): ArgumentNode {
  return {
    kind: Kind.ARGUMENT,
    name: { kind: Kind.NAME, value: name },
    value: { kind: Kind.VARIABLE, name: { kind: Kind.NAME, value: variable } },
  };
}

function definitionOf(text: string): VariableDefinitionNode {
  const { definitions } = parse(`query(${text}){a}`, { noLocation: true });
  return (definitions[0] as OperationDefinitionNode).variableDefinitions![0]!;
}
