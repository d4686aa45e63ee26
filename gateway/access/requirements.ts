import {
  getNamedType,
  isInterfaceType,
  isObjectType,
  Kind,
  type ConstDirectiveNode,
  type ConstValueNode,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';

/** What has to hold for a caller. `anyOf`: one of these lists, all that is in it. */
export interface Rule {
  kind: RuleKind;
  anyOf: readonly (readonly string[])[];
  /** The same for equal rules, in every supergraph. */
  id: string;
}

export type RuleKind = 'authenticated' | 'requiresScopes' | 'policy';

/** What the schema demands of callers: `@authenticated`, `@requiresScopes`, `@policy`. */
export interface Requirements {
  /** Rules for a field of an object type: its own, those of the object's type, and those of the type it returns. */
  ofField(typename: string, field: string): readonly Rule[];
  /** Rules for being shown an object of an object type at all. */
  ofType(typename: string): readonly Rule[];
}

const KINDS: readonly RuleKind[] = ['authenticated', 'requiresScopes', 'policy'];
const NONE: readonly Rule[] = [];

/** Reads what a supergraph demands, by the names it gives the directives; undefined when it demands nothing. */
export function readRequirements(schema: GraphQLSchema): Requirements | undefined {
  const reader = new RuleReader(schema);
  const types = new Map<string, readonly Rule[]>();
  const fields = new Map<string, ReadonlyMap<string, readonly Rule[]>>();
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type)) continue;
    const rules = reader.ofObject(type);
    if (rules.length > 0) types.set(type.name, rules);
    const byField = new Map<string, readonly Rule[]>();
    for (const name of Object.keys(type.getFields())) {
      const all = distinct([...rules, ...reader.ofField(type, name)]);
      if (all.length > 0) byField.set(name, all);
    }
    if (byField.size > 0) fields.set(type.name, byField);
  }
  if (fields.size === 0) return undefined;
  return {
    ofField: (typename, field) => fields.get(typename)?.get(field) ?? NONE,
    ofType: (typename) => types.get(typename) ?? NONE,
  };
}

class RuleReader {
  private readonly names: ReadonlyMap<string, RuleKind>;

  constructor(private readonly schema: GraphQLSchema) {
    this.names = directiveNames(schema);
  }

  ofObject(type: GraphQLObjectType): readonly Rule[] {
    return distinct([
      ...this.own(type),
      ...type.getInterfaces().flatMap((each) => this.given(each, (implementation) => implementation)),
    ]);
  }

  ofField(type: GraphQLObjectType, name: string): readonly Rule[] {
    const field = type.getFields()[name]!;
    const inherited = type
      .getInterfaces()
      .filter((each) => each.getFields()[name])
      .flatMap((each) =>
        this.given(each.getFields()[name]!, (implementation) => implementation.getFields()[name], each),
      );
    return [...this.own(field), ...inherited, ...this.ofReturned(getNamedType(field.type))];
  }

  private ofReturned(type: GraphQLNamedType): readonly Rule[] {
    if (isObjectType(type)) return this.ofObject(type);
    return isInterfaceType(type) ? this.given(type, (implementation) => implementation) : this.own(type);
  }

  /**
   * What somebody wrote at an interface or its field. Composition writes there, too, from 2.12.1 on: all that any
   * implementation demands. That is told apart by the implementations, which then demand something of that kind; each
   * object is held to its own rules only.
   */
  private given(
    element: Marked,
    counterpart: (implementation: GraphQLObjectType) => Marked | undefined,
    type = element as Parameters<GraphQLSchema['getImplementations']>[0],
  ): readonly Rule[] {
    const rules = this.own(element);
    if (rules.length === 0) return rules;
    const { objects } = this.schema.getImplementations(type);
    return rules.filter(({ kind }) =>
      objects.every((object) => this.own(counterpart(object)).every((rule) => rule.kind !== kind)),
    );
  }

  private own(element: Marked | undefined): readonly Rule[] {
    return (element?.astNode?.directives ?? []).flatMap((node) => {
      const kind = this.names.get(node.name.value);
      return kind ? [ruleOf(kind, node)] : [];
    });
  }
}

interface Marked {
  astNode?: { readonly directives?: readonly ConstDirectiveNode[] | undefined } | null | undefined;
}

function ruleOf(kind: RuleKind, { arguments: given = [] }: ConstDirectiveNode): Rule {
  if (kind === 'authenticated') return { kind, anyOf: [], id: kind };
  const lists = given[0] ? listOf(given[0].value).map((inner) => listOf(inner).map(textOf)) : [];
  return { kind, anyOf: lists, id: `${kind} ${JSON.stringify(lists)}` };
}

/** A single value stands for a list of it (https://spec.graphql.org/October2021/#sec-List.Input-Coercion). */
function listOf(value: ConstValueNode): readonly ConstValueNode[] {
  return value.kind === Kind.LIST ? value.values : [value];
}

function textOf(value: ConstValueNode): string {
  return value.kind === Kind.STRING ? value.value : '';
}

/** The names that the schema's links give the directives. */
function directiveNames(schema: GraphQLSchema): ReadonlyMap<string, RuleKind> {
  const names = new Map<string, RuleKind>();
  for (const link of schema.astNode?.directives ?? []) {
    const argument = (name: string): ConstValueNode | undefined =>
      link.arguments?.find((node) => node.name.value === name)?.value;
    const url = argument('url');
    const kind = url && KINDS.find((name) => textOf(url).startsWith(`https://specs.apollo.dev/${name}/`));
    if (!kind) continue;
    const alias = argument('as');
    names.set(alias ? textOf(alias) : kind, kind);
    for (const imported of listOf(argument('import') ?? { kind: Kind.LIST, values: [] })) {
      const name = importedName(imported);
      if (name) names.set(name, kind);
    }
  }
  return names;
}

/** `"@name"`, or `{name: "@name", as: "@other"}`. */
function importedName(node: ConstValueNode): string | undefined {
  if (node.kind === Kind.STRING) return node.value.slice(1);
  if (node.kind !== Kind.OBJECT) return undefined;
  const by = (name: string) => node.fields.find((field) => field.name.value === name)?.value;
  const given = by('as') ?? by('name');
  return given && textOf(given).slice(1);
}

function distinct(rules: readonly Rule[]): readonly Rule[] {
  return [...new Map(rules.map((rule) => [rule.id, rule])).values()];
}
