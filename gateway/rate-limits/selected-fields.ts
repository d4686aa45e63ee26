import {
  getNamedType,
  isCompositeType,
  isObjectType,
  isUnionType,
  Kind,
  typeFromAST,
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql';
import type { RateLimitRule, RateLimitRules } from './rules';

/** A field that counts: one at the root, or one with rules, wherever it is. */
export interface SelectedField {
  /** Response names from the root: fields at one path are merged into one execution. */
  path: string;
  isRoot: boolean;
  rules: readonly RateLimitRule[];
  node: FieldNode;
  /** The directives `@skip` and `@include` that have a variable, on it and around it. */
  conditions: readonly Condition[];
}

export interface Condition {
  variable: string;
  /** With this value the field is executed. */
  wanted: boolean;
}

interface Place {
  type: GraphQLCompositeType;
  path: string;
  conditions: readonly Condition[];
}

/**
 * The fields of an operation that count, fragments expanded, those that never are executed left out. The document is valid
 * and within the limits, which bound how much this can be. Fields of a list's items count once for the list: how many
 * there are is known too late.
 */
export function selectedFields(
  { schema, rules }: { schema: GraphQLSchema; rules: RateLimitRules },
  document: DocumentNode,
  operation: OperationDefinitionNode,
): SelectedField[] {
  const fragments = new Map(
    document.definitions.flatMap((node) =>
      node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node] as const] : [],
    ),
  );
  const root = schema.getRootType(operation.operation)!;
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  const isDeep = [...rules.keys()].some((name) => !roots.some((type) => name.startsWith(`${type?.name}.`)));
  const walk = new Walk(schema, rules, fragments, isDeep);
  walk.visit(operation.selectionSet, { type: root, path: '', conditions: [] });
  return walk.found;
}

class Walk {
  readonly found: SelectedField[] = [];

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly rules: RateLimitRules,
    private readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>,
    /** Whether fields below the root have rules. */
    private readonly isDeep: boolean,
  ) {}

  visit({ selections }: SelectionSetNode, place: Place): void {
    for (const node of selections) {
      const conditions = conditionsOf(node.directives ?? []);
      if (conditions === 'never') continue;
      const here = { ...place, conditions: [...place.conditions, ...conditions] };
      if (node.kind === Kind.FIELD) this.visitField(node, here);
      else if (node.kind === Kind.INLINE_FRAGMENT)
        this.visit(node.selectionSet, this.narrowed(here, node.typeCondition));
      else {
        const fragment = this.fragments.get(node.name.value);
        if (fragment) this.visit(fragment.selectionSet, this.narrowed(here, fragment.typeCondition));
      }
    }
  }

  private visitField(node: FieldNode, { type, path: parent, conditions }: Place): void {
    const isRoot = parent === '';
    const path = `${parent}/${(node.alias ?? node.name).value}`;
    const rules = this.rulesOf(type, node.name.value);
    if (isRoot || rules.length > 0) this.found.push({ path, isRoot, rules, node, conditions });
    if (!node.selectionSet || !this.isDeep) return;
    const field = isUnionType(type) ? undefined : type.getFields()[node.name.value];
    const inner = field && getNamedType(field.type);
    if (inner && isCompositeType(inner)) this.visit(node.selectionSet, { type: inner, path, conditions });
  }

  private narrowed(place: Place, condition: FragmentDefinitionNode['typeCondition'] | undefined): Place {
    const type = condition && typeFromAST(this.schema, condition);
    return type && isCompositeType(type) ? { ...place, type } : place;
  }

  /** Those of every object type that may be there, and of its interfaces: no way around one that says it. */
  private rulesOf(type: GraphQLCompositeType, field: string): readonly RateLimitRule[] {
    const objects = isObjectType(type) ? [type] : this.schema.getPossibleTypes(type);
    const names = new Set(objects.flatMap((object) => [object, ...object.getInterfaces()]).map(({ name }) => name));
    return [...names].flatMap((name) => this.rules.get(`${name}.${field}`) ?? []);
  }
}

/** What decides whether something is selected; `never` when that is known already. */
function conditionsOf(directives: readonly DirectiveNode[]): Condition[] | 'never' {
  const conditions: Condition[] = [];
  for (const { name, arguments: given } of directives) {
    if (name.value !== 'skip' && name.value !== 'include') continue;
    const wanted = name.value === 'include';
    const value: ValueNode | undefined = given?.find((argument) => argument.name.value === 'if')?.value;
    if (value?.kind === Kind.VARIABLE) conditions.push({ variable: value.name.value, wanted });
    else if (value?.kind === Kind.BOOLEAN && value.value !== wanted) return 'never';
  }
  return conditions;
}
