import { GraphQLError, parse, validate, type DocumentNode, type GraphQLSchema, type ValidationRule } from 'graphql';
import { UNREADABLE_DOCUMENT } from '../http/format-error';
import { parseOptions, type OperationLimits } from '../limits';
import { createDocumentCache } from './document-cache';

/** The documents that are known to be valid, by their text: they are parsed and validated once. */
export interface Documents {
  /** A document that was read or added before. */
  known(source: string): DocumentNode | undefined;
  /** Parses and validates, or answers with what is wrong. */
  read(source: string): DocumentNode | GraphQLError[];
  /** Keeps a document that somebody else found valid by the same rules. */
  add(source: string, document: DocumentNode): void;
}

export interface DocumentOptions {
  schema: GraphQLSchema;
  /** All of them, those of the GraphQL specification included. */
  rules: readonly ValidationRule[];
  limits: OperationLimits;
  /** Whether errors may name what would have been valid. */
  suggestions: boolean;
  /** Documents kept, as far as their size allows. */
  cacheSize: number;
}

export function createDocuments({ schema, rules, limits, suggestions, cacheSize }: DocumentOptions): Documents {
  const documents = createDocumentCache(cacheSize);
  return {
    known: (source) => documents.get(source),
    add: (source, document) => void documents.set(source, document),
    read(source) {
      const known = documents.get(source);
      if (known) return known;
      try {
        const document = parse(source, parseOptions(limits));
        const errors = validate(schema, document, rules, { hideSuggestions: !suggestions });
        if (errors.length > 0) return errors.map((error) => withCode(error, 'GRAPHQL_VALIDATION_FAILED'));
        documents.set(source, document);
        return document;
      } catch (error) {
        const failure = error instanceof GraphQLError ? error : new GraphQLError(UNREADABLE_DOCUMENT);
        return [withCode(failure, 'GRAPHQL_PARSE_FAILED')];
      }
    },
  };
}

function withCode(error: GraphQLError, code: string): GraphQLError {
  const { message, nodes, source, positions } = error;
  return new GraphQLError(message, {
    nodes,
    source,
    positions,
    extensions: { code: error.extensions['code'] ?? code },
  });
}
