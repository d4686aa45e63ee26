import {
  GraphQLError,
  NoSchemaIntrospectionCustomRule,
  type ASTNode,
  type ASTVisitor,
  type DocumentNode,
  type ParseOptions,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';
import { countRepeats, measureDocument, type DocumentSize } from './document-size';

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
  /**
   * Pairs of fields with one response name at one place, and of fragments spread at one place: each pair is compared
   * when an operation is validated. 20 000 are 200 times the same field, or 20 times each of a hundred. Default 20 000.
   */
  maxRepeats: number;
}

/** Figures from the promises in docs (P3); the depth leaves room for introspection-like queries of real clients. */
export const DEFAULT_LIMITS: OperationLimits = {
  maxTokens: 2_000,
  maxDepth: 15,
  maxAliases: 30,
  maxSelections: 2_000,
  maxRepeats: 20_000,
};

/** Options for graphql-js `parse` that hold the token limit. */
export function parseOptions(limits: OperationLimits): ParseOptions {
  return { maxTokens: limits.maxTokens };
}

/**
 * Validation rules that hold the other limits, and refuse introspection where it is off. A document over a limit is not
 * validated any further: the standard rules could spend more than 100 ms of the event loop on it.
 */
export function limitRules(limits: OperationLimits, options: { introspection: boolean }): ValidationRule[] {
  const rules: ValidationRule[] = [(context) => holdLimits(context, limits)];
  return options.introspection ? rules : [...rules, NoSchemaIntrospectionCustomRule];
}

function holdLimits(context: ValidationContext, limits: OperationLimits): ASTVisitor {
  return {
    Document(document) {
      const errors = excesses(document, limits);
      for (const error of errors) context.reportError(error);
      // What a visitor returns is visited in place of the node, by all rules.
      return errors.length > 0 ? { ...document, definitions: [] } : undefined;
    },
  };
}

function excesses(document: DocumentNode, limits: OperationLimits): GraphQLError[] {
  const size = measureDocument(document);
  if (size.cycle)
    return [
      new GraphQLError(`Cannot spread fragment "${size.cycle.name.value}" within itself.`, { nodes: size.cycle }),
    ];
  const errors = size.roots.flatMap((root) => excessesOf(root, limits));
  if (errors.length > 0 || countRepeats(document, size, limits.maxRepeats) <= limits.maxRepeats) return errors;
  return [
    refusal('REPEAT_LIMIT', 'The document selects the same fields, or spreads fragments, too often at one place.'),
  ];
}

function excessesOf({ node, size }: DocumentSize['roots'][number], limits: OperationLimits): GraphQLError[] {
  const { maxDepth, maxAliases, maxSelections } = limits;
  const errors: GraphQLError[] = [];
  if (size.depth > maxDepth)
    errors.push(
      refusal('DEPTH_LIMIT', `The operation is ${size.depth} levels deep; at most ${maxDepth} are allowed.`, node),
    );
  if (size.aliases > maxAliases)
    errors.push(refusal('ALIAS_LIMIT', `The operation has more than ${maxAliases} aliases.`, node));
  if (size.selections > maxSelections)
    errors.push(
      refusal('SELECTION_LIMIT', `The operation selects more than ${maxSelections} fields, fragments expanded.`, node),
    );
  return errors;
}

function refusal(code: string, message: string, node?: ASTNode): GraphQLError {
  return new GraphQLError(message, { ...(node ? { nodes: node } : {}), extensions: { code } });
}
