import {
  GraphQLError,
  Kind,
  NoSchemaIntrospectionCustomRule,
  type ASTVisitor,
  type DocumentNode,
  type ParseOptions,
  type SelectionSetNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';

/** How large one operation may be. The same limits hold on HTTP, multipart and WebSocket. */
export interface OperationLimits {
  /** Lexical tokens of the document; checked while parsing. Default 2 000. */
  maxTokens: number;
  /** Levels of fields below the root, fragments expanded. Default 15. */
  maxDepth: number;
  /** Aliased fields, fragments expanded. Default 30. */
  maxAliases: number;
  /** Fields, fragments expanded: a short document can spread a fragment exponentially often. Default 2 000. */
  maxSelections: number;
}

/** Figures from the promises in docs (P3); the depth leaves room for introspection-like queries of real clients. */
export const DEFAULT_LIMITS: OperationLimits = { maxTokens: 2_000, maxDepth: 15, maxAliases: 30, maxSelections: 2_000 };

/** Options for graphql-js `parse` that hold the token limit. */
export function parseOptions(limits: OperationLimits): ParseOptions {
  return { maxTokens: limits.maxTokens };
}

/** Validation rules that hold the other limits, and refuse introspection where it is off. */
export function limitRules(limits: OperationLimits, options: { introspection: boolean }): ValidationRule[] {
  const rules: ValidationRule[] = [(context) => measureOperations(context, limits)];
  return options.introspection ? rules : [...rules, NoSchemaIntrospectionCustomRule];
}

interface Size {
  depth: number;
  aliases: number;
  selections: number;
}

function measureOperations(context: ValidationContext, limits: OperationLimits): ASTVisitor {
  const measure = createMeasure(context.getDocument());
  return {
    OperationDefinition(node) {
      const size = measure(node.selectionSet);
      const report = (code: string, message: string): void =>
        context.reportError(new GraphQLError(message, { nodes: node, extensions: { code } }));
      if (size.depth > limits.maxDepth)
        report('DEPTH_LIMIT', `The operation is ${size.depth} levels deep; at most ${limits.maxDepth} are allowed.`);
      if (size.aliases > limits.maxAliases)
        report('ALIAS_LIMIT', `The operation has more than ${limits.maxAliases} aliases.`);
      if (size.selections > limits.maxSelections)
        report(
          'SELECTION_LIMIT',
          `The operation selects more than ${limits.maxSelections} fields, fragments expanded.`,
        );
      return false;
    },
    FragmentDefinition: () => false,
  };
}

/**
 * Measures each fragment once, so the time is linear in the document however often fragments are spread. A cycle
 * counts nothing here; the standard rules refuse it. Introspection fields are left to graphql-js, which bounds them.
 */
function createMeasure(document: DocumentNode): (selections: SelectionSetNode) => Size {
  const fragments = new Map(
    document.definitions.flatMap((node) => (node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node]] : [])),
  );
  const measured = new Map<string, Size>();
  const none: Size = { depth: 0, aliases: 0, selections: 0 };

  const measureFragment = (name: string): Size => {
    const known = measured.get(name);
    if (known) return known;
    measured.set(name, none);
    const fragment = fragments.get(name);
    const size = fragment ? measure(fragment.selectionSet) : none;
    measured.set(name, size);
    return size;
  };
  const measure = (set: SelectionSetNode): Size => {
    const total = { ...none };
    for (const node of set.selections) {
      if (node.kind === Kind.FIELD && node.name.value.startsWith('__') && node.selectionSet) continue;
      const own = node.kind === Kind.FIELD ? 1 : 0;
      const inner =
        node.kind === Kind.FRAGMENT_SPREAD
          ? measureFragment(node.name.value)
          : node.selectionSet
            ? measure(node.selectionSet)
            : none;
      total.depth = Math.max(total.depth, own + inner.depth);
      total.aliases += inner.aliases + (node.kind === Kind.FIELD && node.alias ? 1 : 0);
      total.selections += own + inner.selections;
    }
    return total;
  };
  return measure;
}
