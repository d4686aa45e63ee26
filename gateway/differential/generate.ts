import {
  doTypesOverlap,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isInterfaceType,
  isLeafType,
  isObjectType,
  isRequiredArgument,
  Kind,
  OperationTypeNode,
  print,
  type DirectiveNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLSchema,
  type NameNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { repair, type Operation } from './documents';
import { createInputs, isWritable, type Inputs, type Variables } from './inputs';
import type { Random } from './random';

export interface GenerateOptions {
  /** Fields written, fragments counted once; about. */
  maxFields: number;
  /** Levels of fields; about. */
  maxDepth: number;
}

type AnyField = GraphQLField<unknown, unknown>;

/** None is the name of a field in the supergraphs here; most are names that plain objects or promises have. */
const ALIASES = [
  'a',
  'b',
  'c',
  'd',
  'e',
  'constructor',
  '__proto__',
  'toString',
  'hasOwnProperty',
  'then',
  'length',
  'valueOf',
];

/** Makes one valid operation by chance, a query or a mutation; null when chance made nothing valid. */
export function generateOperation(schema: GraphQLSchema, random: Random, options: GenerateOptions): Operation | null {
  const isMutation = schema.getMutationType() !== undefined && random.chance(0.12);
  const root = (isMutation ? schema.getMutationType() : schema.getQueryType())!;
  const variables: Variables = { definitions: [], values: {} };
  const writer = new Writer(schema, random, options, createInputs(random, variables));
  const selectionSet = writer.selections(root, 0);
  const document = {
    kind: Kind.DOCUMENT,
    definitions: [
      {
        kind: Kind.OPERATION_DEFINITION,
        operation: isMutation ? OperationTypeNode.MUTATION : OperationTypeNode.QUERY,
        ...(random.chance(0.3) ? { name: nameNode('Op') } : {}),
        variableDefinitions: variables.definitions,
        selectionSet,
      } as const,
      ...writer.fragments.map(({ node }) => node),
    ],
  } as const;
  return repair(schema, { document, variables: variables.values });
}

/** Writes selections; notes the fragments that they spread. */
class Writer {
  readonly fragments: { node: FragmentDefinitionNode; type: GraphQLCompositeType; height: number }[] = [];
  private fields = 0;
  private fragmentNames = 0;
  private freshAliases = 0;
  /** Which field has which response name so far. */
  private readonly holders = new Map<string, string>();

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly random: Random,
    private readonly options: GenerateOptions,
    private readonly inputs: Inputs,
  ) {}

  selections(type: GraphQLCompositeType, depth: number): SelectionSetNode {
    const { random } = this;
    const selections: SelectionNode[] = [];
    for (let left = 1 + random.below(4); left > 0; left--) {
      const chance = random.below(100);
      if (chance < 10) selections.push(this.typename());
      else if (this.isFull(depth)) selections.push(...this.field(type, depth));
      else if (chance < 28) selections.push(this.inlineFragment(type, depth));
      else if (chance < 40) selections.push(this.spread(type, depth));
      else selections.push(...this.field(type, depth));
      if (this.isFull(depth)) break;
    }
    return { kind: Kind.SELECTION_SET, selections };
  }

  private isFull(depth: number): boolean {
    return depth >= this.options.maxDepth || this.fields >= this.options.maxFields;
  }

  private typename(): FieldNode {
    const alias = this.random.chance(0.4) ? { alias: nameNode(this.random.pick(ALIASES)) } : {};
    return { kind: Kind.FIELD, ...alias, name: nameNode('__typename'), directives: this.directives() };
  }

  /** A field; now and then twice under one name, so that its selections must be merged. */
  private field(type: GraphQLCompositeType, depth: number): SelectionNode[] {
    const { random } = this;
    const field = this.chooseField(type, depth);
    if (!field)
      return [isAbstractType(type) && !this.isFull(depth) ? this.inlineFragment(type, depth) : this.typename()];
    this.fields++;
    const args = field.args.flatMap((argument) => {
      const value = this.inputs.argument(argument);
      return value ? [{ kind: Kind.ARGUMENT, name: nameNode(argument.name), value } as const] : [];
    });
    const alias = this.aliasOf(type, field, `${field.name}(${args.map(print).join()}): ${String(field.type)}`);
    const node = (): FieldNode => ({
      kind: Kind.FIELD,
      ...(alias ? { alias: nameNode(alias) } : {}),
      name: nameNode(field.name),
      arguments: args,
      directives: this.directives(),
      ...this.nested(field, depth),
    });
    return random.chance(0.07) ? [node(), node()] : [node()];
  }

  private nested(field: AnyField, depth: number): { selectionSet?: SelectionSetNode } {
    const type = getNamedType(field.type);
    return isCompositeType(type) ? { selectionSet: this.selections(type, depth + 1) } : {};
  }

  private chooseField(type: GraphQLCompositeType, depth: number): AnyField | undefined {
    if (!isObjectType(type) && !isInterfaceType(type)) return undefined;
    const isFull = this.isFull(depth);
    const fields = Object.values(type.getFields()).filter(({ args }) =>
      args.every((argument) => !isRequiredArgument(argument) || isWritable(argument.type)),
    );
    const leaves = fields.filter((field) => isLeafType(getNamedType(field.type)));
    const branches = fields.filter((field) => !leaves.includes(field));
    const wanted = !isFull && this.random.chance(0.55) ? [branches, leaves] : [leaves, isFull ? [] : branches];
    const candidates = wanted.find(({ length }) => length > 0);
    return candidates && this.random.pick(candidates);
  }

  /** An alias, mostly one that does not conflict: `signature` tells apart fields that must not share a name. */
  private aliasOf(type: GraphQLCompositeType, field: AnyField, signature: string): string | undefined {
    const chosen = this.chooseAlias(type, field);
    const name = chosen ?? field.name;
    const holder = this.holders.get(name);
    if (holder !== undefined && holder !== signature && this.random.chance(0.9)) return `x${this.freshAliases++}`;
    this.holders.set(name, signature);
    return chosen;
  }

  private chooseAlias(type: GraphQLCompositeType, field: AnyField): string | undefined {
    const { random } = this;
    if (!random.chance(field.args.length > 0 ? 0.4 : 0.2)) return undefined;
    // Names of other fields: the planner is known to mix them up.
    if (random.chance(0.5) && 'getFields' in type) return random.pick(['__typename', ...Object.keys(type.getFields())]);
    return random.pick(ALIASES);
  }

  private inlineFragment(type: GraphQLCompositeType, depth: number): SelectionNode {
    const condition = this.random.chance(0.25) ? undefined : this.overlapping(type);
    return {
      kind: Kind.INLINE_FRAGMENT,
      ...(condition ? { typeCondition: { kind: Kind.NAMED_TYPE, name: nameNode(condition.name) } } : {}),
      directives: this.directives(),
      selectionSet: this.selections(condition ?? type, depth + (condition ? 0.5 : 1)),
    };
  }

  /** Spreads a fragment that exists and fits, or a new one. */
  private spread(type: GraphQLCompositeType, depth: number): SelectionNode {
    const { random } = this;
    const fitting = this.fragments.filter(
      (fragment) =>
        doTypesOverlap(this.schema, fragment.type, type) && depth + fragment.height <= this.options.maxDepth + 1,
    );
    const known = fitting.length > 0 && random.chance(0.6) ? random.pick(fitting).node.name.value : undefined;
    const name = known ?? this.newFragment(this.overlapping(type), depth);
    return { kind: Kind.FRAGMENT_SPREAD, name: nameNode(name), directives: this.directives() };
  }

  private newFragment(type: GraphQLCompositeType, depth: number): string {
    const name = `F${this.fragmentNames++}`;
    const node: FragmentDefinitionNode = {
      kind: Kind.FRAGMENT_DEFINITION,
      name: nameNode(name),
      typeCondition: { kind: Kind.NAMED_TYPE, name: nameNode(type.name) },
      selectionSet: this.selections(type, depth + 0.5),
    };
    this.fragments.push({ node, type, height: heightOf(node.selectionSet) });
    return name;
  }

  /** The type itself, or another one that some of its objects have too. */
  private overlapping(type: GraphQLCompositeType): GraphQLCompositeType {
    const { random, schema } = this;
    if (random.chance(isAbstractType(type) ? 0.15 : 0.5)) return type;
    if (isAbstractType(type) && random.chance(0.7)) return random.pick(schema.getPossibleTypes(type));
    const others = Object.values(schema.getTypeMap()).filter(
      (other) => isCompositeType(other) && !other.name.startsWith('__') && doTypesOverlap(schema, other, type),
    );
    return random.pick(others as GraphQLCompositeType[]);
  }

  private directives(): DirectiveNode[] {
    return ['include', 'skip'].flatMap((name) =>
      this.random.chance(0.06)
        ? [
            {
              kind: Kind.DIRECTIVE,
              name: nameNode(name),
              arguments: [{ kind: Kind.ARGUMENT, name: nameNode('if'), value: this.inputs.condition() }],
            } as const,
          ]
        : [],
    );
  }
}

function nameNode(value: string): NameNode {
  return { kind: Kind.NAME, value };
}

/** Levels of fields below a selection set; a spread counts as one. */
function heightOf({ selections }: SelectionSetNode): number {
  const heights = selections.map((node) => {
    const nested = 'selectionSet' in node && node.selectionSet ? heightOf(node.selectionSet) : 0;
    return nested + (node.kind === Kind.INLINE_FRAGMENT ? 0 : 1);
  });
  return Math.max(0, ...heights);
}
