import {
  GraphQLError,
  Kind,
  OperationTypeNode,
  SingleFieldSubscriptionsRule,
  specifiedRules,
  type ASTVisitor,
  type SelectionSetNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';

/**
 * The standard rules with our own "one root field per subscription": graphql-js' rule throws instead of reporting when a
 * root field has `@include` or `@skip` with a variable, because it wants to evaluate the condition without its value.
 */
export const operationRules: readonly ValidationRule[] = [
  ...specifiedRules.filter((rule) => rule !== SingleFieldSubscriptionsRule),
  singleRootField,
  nothingDeferred,
];

function singleRootField(context: ValidationContext): ASTVisitor {
  return {
    OperationDefinition(node) {
      if (node.operation !== OperationTypeNode.SUBSCRIPTION) return;
      const names = rootNames(node.selectionSet, context, new Set());
      const fields = new Set(names.map(({ response }) => response));
      if (fields.size > 1 || names.some(({ field }) => field.startsWith('__'))) {
        context.reportError(
          new GraphQLError('A subscription must select exactly one field of the schema at its root.', { nodes: node }),
        );
      }
    },
  };
}

/** Events come one after the other, and each is answered as a whole. */
function nothingDeferred(context: ValidationContext): ASTVisitor {
  const { definitions } = context.getDocument();
  const isSubscription = definitions.some(
    (node) => node.kind === Kind.OPERATION_DEFINITION && node.operation === OperationTypeNode.SUBSCRIPTION,
  );
  return {
    Directive(node) {
      if (isSubscription && node.name.value === 'defer')
        context.reportError(new GraphQLError('A document with a subscription cannot have @defer.', { nodes: node }));
    },
  };
}

function rootNames(
  set: SelectionSetNode,
  context: ValidationContext,
  seen: Set<string>,
): { response: string; field: string }[] {
  return set.selections.flatMap((node) => {
    if (node.kind === Kind.FIELD) return [{ response: (node.alias ?? node.name).value, field: node.name.value }];
    if (node.kind === Kind.INLINE_FRAGMENT) return rootNames(node.selectionSet, context, seen);
    const fragment = context.getFragment(node.name.value);
    if (!fragment || seen.has(fragment.name.value)) return [];
    return rootNames(fragment.selectionSet, context, seen.add(fragment.name.value));
  });
}
