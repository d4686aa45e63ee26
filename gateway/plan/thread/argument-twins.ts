import {
  Kind,
  print,
  visit,
  type ArgumentNode,
  type FieldDefinitionNode,
  type FieldNode,
  type SelectionSetNode,
} from 'graphql';
import { argumentsText } from './arguments-text';
import {
  applied,
  implementsInterface,
  namedType,
  parseFieldSet,
  textArgument,
  type FieldsType,
  type SupergraphDocument,
} from './supergraph-document';

/** A field without arguments that stands for another one with fixed arguments, in the planner's supergraph only. */
export interface Twin {
  name: string;
  field: string;
  arguments: readonly ArgumentNode[];
  /** Types that have it. */
  types: ReadonlySet<string>;
}

/** Twins by field name and arguments. */
export interface Twins {
  byName: ReadonlyMap<string, Twin>;
  /** The twin that a field of a field set is to be replaced by. */
  of(node: FieldNode): Twin | undefined;
}

interface Usage {
  arguments: readonly ArgumentNode[];
  types: Set<string>;
}

/**
 * Finds the fields that `@requires` select on one type with different arguments. The planner knows a required field by
 * its name alone, so two of them would end as one fetch, and each gets a twin with a name of its own.
 */
export function findTwins(supergraph: SupergraphDocument): Twins {
  const byName = new Map<string, Twin>();
  const byUsage = new Map<string, Twin>();
  for (const [field, usages] of requiredUsages(supergraph)) {
    if (!isAmbiguous(usages)) continue;
    for (const [text, usage] of usages) {
      if (text === '') continue;
      const name = `${field}__requires_${byUsage.size}`;
      const twin: Twin = { name, field, arguments: usage.arguments, types: usage.types };
      byName.set(name, twin);
      byUsage.set(`${field}(${text})`, twin);
    }
  }
  return { byName, of: (node) => byUsage.get(`${node.name.value}(${argumentsText(node.arguments)})`) };
}

/** A field set in which twins replace the fields they stand for. */
export function withTwins(fields: string, twins: Twins): string {
  const replaced = visit(parseFieldSet(fields), {
    Field(node) {
      const twin = twins.of(node);
      return twin && { ...node, name: { kind: Kind.NAME, value: twin.name }, arguments: [] };
    },
  });
  return replaced.selections.map(print).join(' ');
}

/** The twins of a type's fields: in the same subgraphs, of the same type. */
export function twinFields(type: FieldsType, twins: Twins): FieldDefinitionNode[] {
  return [...twins.byName.values()].flatMap((twin) => {
    const field = type.fields?.find((node) => node.name.value === twin.field);
    if (!field || !twin.types.has(type.name.value)) return [];
    const directives = field.directives?.filter(({ name }) => /^(join__|inaccessible$)/.test(name.value)) ?? [];
    return [{ ...field, name: { kind: Kind.NAME, value: twin.name }, arguments: [], directives }];
  });
}

/** By field name and text of the arguments: what `@requires` select of fields that have arguments, and on which types. */
function requiredUsages(supergraph: SupergraphDocument): Map<string, Map<string, Usage>> {
  const found = new Map<string, Map<string, Usage>>();
  const walk = (set: SelectionSetNode, parent: FieldsType | undefined): void => {
    for (const node of set.selections) {
      if (node.kind === Kind.FIELD) {
        const field = parent?.fields?.find(({ name }) => name.value === node.name.value);
        if (parent && field?.arguments?.length) record(found, node, parent, supergraph);
        if (node.selectionSet) walk(node.selectionSet, field && supergraph.types.get(namedType(field)));
      } else if (node.kind === Kind.INLINE_FRAGMENT) {
        walk(node.selectionSet, node.typeCondition ? supergraph.types.get(node.typeCondition.name.value) : parent);
      }
    }
  };
  for (const type of supergraph.types.values()) {
    for (const directive of type.fields?.flatMap((field) => applied(field, 'join__field')) ?? []) {
      const requires = textArgument(directive, 'requires');
      if (requires) walk(parseFieldSet(requires), type);
    }
  }
  return found;
}

function record(
  found: Map<string, Map<string, Usage>>,
  node: FieldNode,
  parent: FieldsType,
  { types }: SupergraphDocument,
): void {
  const usages = found.get(node.name.value) ?? new Map<string, Usage>();
  found.set(node.name.value, usages);
  const text = argumentsText(node.arguments);
  const usage = usages.get(text) ?? { arguments: node.arguments ?? [], types: new Set() };
  usages.set(text, usage);
  usage.types.add(parent.name.value);
  for (const type of types.values()) if (implementsInterface(type, parent.name.value)) usage.types.add(type.name.value);
}

/** Whether some type is asked for the field with different arguments. */
function isAmbiguous(usages: ReadonlyMap<string, Usage>): boolean {
  const seen = new Set<string>();
  for (const { types } of usages.values()) {
    for (const type of types) {
      if (seen.has(type)) return true;
      seen.add(type);
    }
  }
  return false;
}
