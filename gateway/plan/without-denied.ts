import {
  isCompositeType,
  isNonNullType,
  Kind,
  TypeInfo,
  visit,
  visitWithTypeInfo,
  type ASTVisitor,
  type DefinitionNode,
  type DocumentNode,
  type FieldNode,
  type GraphQLSchema,
  type InlineFragmentNode,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import type { Denial, Denials } from '../access/denials';
import { fragmentsIn, objectTypes } from '../access/rules-in';

/** What is left of an operation for a caller. */
export interface AllowedOperation {
  /** As they were when nothing was taken out. */
  document: DocumentNode;
  operation: OperationDefinitionNode;
  /** Why fields were taken out. */
  denials: readonly Denial[];
}

interface Asked {
  document: DocumentNode;
  operation: OperationDefinitionNode;
}

/**
 * Takes out the fields that are not for a caller, so that nothing is fetched for them. One below an interface that is not
 * for it on some object types only is asked for on the others. `@defer` goes as well where something was taken out: the
 * planner's own words say what a deferred part answers, and they would not know of nulls to be told.
 */
export function withoutDenied(
  { document, operation }: Asked,
  schema: GraphQLSchema,
  denials: Denials,
): AllowedOperation {
  const found: Denial[] = [];
  const asked = askedDefinitions(document, operation);
  const filter = fieldFilter(schema, denials, found);
  const allowed = new Map([...asked].map((definition) => [definition, visit(definition, filter)]));
  if (found.length === 0) return { document, operation, denials: found };
  const definitions = document.definitions.map((definition) => {
    const left = allowed.get(definition);
    return left ? visit(left, { Directive: withoutDefer }) : definition;
  });
  const left = definitions[document.definitions.indexOf(operation)] as OperationDefinitionNode;
  return { document: { ...document, definitions }, operation: left, denials: found };
}

/** The operation and the fragments it uses: the document may have others. */
function askedDefinitions(document: DocumentNode, operation: OperationDefinitionNode): ReadonlySet<DefinitionNode> {
  const fragments = fragmentsIn(document);
  const asked = new Set<DefinitionNode>();
  const add = (definition: DefinitionNode): void => {
    if (asked.has(definition)) return;
    asked.add(definition);
    visit(definition, {
      FragmentSpread({ name }) {
        const fragment = fragments.get(name.value);
        if (fragment) add(fragment);
      },
    });
  };
  add(operation);
  return asked;
}

function fieldFilter(schema: GraphQLSchema, denials: Denials, found: Denial[]): ASTVisitor {
  const types = new TypeInfo(schema);
  return visitWithTypeInfo(types, {
    SelectionSet: {
      leave(node) {
        const parent = types.getParentType();
        if (!isCompositeType(parent)) return undefined;
        const possible = objectTypes(parent, schema).map(({ name }) => name);
        return withSelections(node, (selection) =>
          selection.kind === Kind.FIELD ? allowedField(selection, possible, denials, found) : leftOf(selection),
        );
      },
    },
  });
}

function withSelections(
  node: SelectionSetNode,
  change: (selection: SelectionNode) => readonly SelectionNode[],
): SelectionSetNode | undefined {
  const selections = node.selections.flatMap(change);
  const isSame =
    selections.length === node.selections.length && selections.every((each, index) => each === node.selections[index]);
  return isSame ? undefined : { ...node, selections };
}

function allowedField(
  node: FieldNode,
  possible: readonly string[],
  denials: Denials,
  found: Denial[],
): readonly SelectionNode[] {
  const name = node.name.value;
  if (name.startsWith('__')) return [node];
  const denied = possible.flatMap((type) => denials.field(type, name) ?? []);
  if (denied.length === 0) return [node];
  found.push(...denied);
  return possible.flatMap((type) => (denials.field(type, name) ? [] : [onType(type, node)]));
}

/** Fragments in which nothing is left are not asked for. */
function leftOf(node: Exclude<SelectionNode, FieldNode>): readonly SelectionNode[] {
  return node.kind === Kind.INLINE_FRAGMENT && node.selectionSet.selections.length === 0 ? [] : [node];
}

function onType(name: string, node: FieldNode): InlineFragmentNode {
  return {
    kind: Kind.INLINE_FRAGMENT,
    typeCondition: { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: name } },
    selectionSet: { kind: Kind.SELECTION_SET, selections: [node] },
  };
}

function withoutDefer(node: { name: { value: string } }): null | undefined {
  return node.name.value === 'defer' ? null : undefined;
}

/** A field at the root of an operation that is not for its caller. */
export interface DeniedRoot {
  /** Its response name. */
  name: string;
  denial: Denial;
  /** Whether its null makes the whole answer null. */
  isNonNull: boolean;
}

/** The root fields that are not for a caller. */
export function deniedRoots({ document, operation }: Asked, schema: GraphQLSchema, denials: Denials): DeniedRoot[] {
  const root = schema.getRootType(operation.operation);
  const fragments = fragmentsIn(document);
  const rootsOf = ({ selections }: SelectionSetNode): DeniedRoot[] =>
    selections.flatMap((node): DeniedRoot[] => {
      if (node.kind !== Kind.FIELD) {
        const fragment = node.kind === Kind.INLINE_FRAGMENT ? node : fragments.get(node.name.value);
        return fragment ? rootsOf(fragment.selectionSet) : [];
      }
      const field = root?.getFields()[node.name.value];
      const denial = root && field && denials.field(root.name, node.name.value);
      if (!denial) return [];
      return [{ name: (node.alias ?? node.name).value, denial, isNonNull: isNonNullType(field.type) }];
    });
  return rootsOf(operation.selectionSet);
}
