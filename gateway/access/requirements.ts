import {
  getNamedType,
  isInterfaceType,
  isObjectType,
  type ConstDirectiveNode,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';
import {
  distinctRules,
  importedNames,
  linkArgument,
  RULE_KINDS,
  ruleOf,
  textOf,
  type Rule,
  type RuleKind,
} from '../../platform/identity/rules';

/** What the schema demands of callers: `@authenticated`, `@requiresScopes`, `@policy`. */
export interface Requirements {
  /** Rules for a field of an object type: its own, those of the object's type, and those of the type it returns. */
  ofField(typename: string, field: string): readonly Rule[];
  /** Rules for being shown an object of an object type at all. */
  ofType(typename: string): readonly Rule[];
}

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
      const all = distinctRules([...rules, ...reader.ofField(type, name)]);
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
    return distinctRules([
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

/** The names that the schema's links give the directives. */
function directiveNames(schema: GraphQLSchema): ReadonlyMap<string, RuleKind> {
  const names = new Map<string, RuleKind>();
  for (const link of schema.astNode?.directives ?? []) {
    const url = linkArgument(link, 'url');
    const kind = url && RULE_KINDS.find((name) => textOf(url).startsWith(`https://specs.apollo.dev/${name}/`));
    if (!kind) continue;
    const alias = linkArgument(link, 'as');
    names.set(alias ? textOf(alias) : kind, kind);
    const imported = importedNames(link).get(kind);
    if (imported !== undefined) names.set(imported, kind);
  }
  return names;
}
