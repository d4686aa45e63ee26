import type { FetchDataRewrite, FetchNode } from '@apollo/query-planner';
import { GraphQLError, Kind, parse, type GraphQLFormattedError } from 'graphql';
import { SautiError } from '../../platform/errors';
import { SubgraphError, type SubgraphErrorCode } from '../fetch/transport';
import { isDeadline } from './deadline';
import type { Execution } from './execution';
import { pathOf, type Position } from './positions';
import type { Representation } from './representations';

type Path = readonly (string | number)[];

/**
 * Takes over the errors of a subgraph's answer with the paths a client knows. What an entity could not answer is
 * reported at every position it stands for. Of the extensions only `code` and `requestId` pass.
 */
export function adoptErrors(
  errors: readonly GraphQLFormattedError[],
  fetch: { node: FetchNode; positions: readonly Position[]; representations: readonly Representation[] | undefined },
): GraphQLError[] {
  return errors.flatMap((error) => {
    const path = renamedPath(Array.isArray(error.path) ? error.path : [], fetch.node.outputRewrites);
    if (!fetch.representations) return fetch.positions.map((position) => adopt(error, [...pathOf(position), ...path]));
    const [, index, ...rest] = path;
    const representation = typeof index === 'number' ? fetch.representations[index] : undefined;
    if (!representation) return [adopt(error, commonPath(fetch.positions))];
    return representation.positions.map((position) => adopt(error, [...pathOf(position), ...rest]));
  });
}

function adopt(error: GraphQLFormattedError, path: Path): GraphQLError {
  const { code, requestId } = error.extensions ?? {};
  return new GraphQLError(typeof error.message === 'string' && error.message ? error.message : 'The request failed.', {
    ...(path.length > 0 ? { path } : {}),
    extensions: {
      code: typeof code === 'string' ? code : 'INTERNAL',
      ...(typeof requestId === 'string' ? { requestId } : {}),
    },
  });
}

/**
 * The one error for a fetch without an answer: neutral, because the reason (an address, a stack, a body) is for the
 * log, where it goes with the same request id.
 */
export function fetchFailure(
  error: unknown,
  node: Pick<FetchNode, 'serviceName' | 'operation' | 'requires'>,
  positions: readonly Position[],
  execution: Execution,
): GraphQLError {
  const { requestId } = execution.caller.identity;
  const path = node.requires ? commonPath(positions) : [...commonPath(positions), ...rootField(node.operation)];
  const at = path.length > 0 ? { path } : {};
  if (execution.signal.aborted) {
    return isDeadline(execution.signal.reason)
      ? new GraphQLError('This part of the answer took too long.', {
          ...at,
          extensions: { code: 'TIMEOUT', requestId },
        })
      : new GraphQLError('The request was cancelled.', { ...at, extensions: { code: 'CANCELLED', requestId } });
  }
  if (error instanceof SautiError)
    return new GraphQLError(error.message, { ...at, extensions: { code: error.code, requestId } });
  const details = { subgraph: node.serviceName, requestId, error };
  if (!(error instanceof SubgraphError)) {
    execution.services.logger.error(details, 'calling a subgraph failed');
    return unavailable(requestId, at);
  }
  execution.services.logger.warn(details, 'a subgraph gave no answer');
  return new GraphQLError(MESSAGES[error.code], { ...at, extensions: { code: error.code, requestId } });
}

/** What a client may know of why a subgraph gave no answer. */
const MESSAGES: Record<SubgraphErrorCode, string> = {
  SUBGRAPH_UNAVAILABLE: 'Part of the service cannot be reached at the moment. Try again in a few seconds.',
  SUBGRAPH_TIMEOUT: 'Part of the service took too long to answer.',
  SUBGRAPH_BAD_RESPONSE: 'Part of the service gave an answer that cannot be used.',
};

/** The error for a subgraph that cannot be reached or does not answer in GraphQL. */
export function unavailable(requestId: string, at: { path?: Path } = {}): GraphQLError {
  return new GraphQLError(MESSAGES.SUBGRAPH_UNAVAILABLE, {
    ...at,
    extensions: { code: 'SUBGRAPH_UNAVAILABLE', requestId },
  });
}

/** The longest path that leads to all positions. */
function commonPath(positions: readonly Position[]): (string | number)[] {
  const [first, ...others] = positions.length > 2 ? [positions[0], positions.at(-1)] : positions;
  const path = first ? pathOf(first) : [];
  const lengths = others.map((other) => {
    const otherPath = other ? pathOf(other) : [];
    const index = path.findIndex((key, at) => key !== otherPath[at]);
    return index === -1 ? path.length : index;
  });
  return path.slice(0, Math.min(path.length, ...lengths));
}

/** The root field of a fetch that has just one. */
function rootField(operation: string): string[] {
  const definition = parse(operation, { noLocation: true }).definitions.find(
    (node) => node.kind === Kind.OPERATION_DEFINITION,
  );
  const names = definition?.selectionSet.selections.map((node) =>
    node.kind === Kind.FIELD ? (node.alias ?? node.name).value : '',
  );
  return names?.length === 1 && names[0] ? [names[0]] : [];
}

/** Undoes the planner's aliases in an error path: `[…, 'name__alias_0']` is `[…, 'name']` for the client. */
function renamedPath(path: Path, rewrites: readonly FetchDataRewrite[] | undefined): Path {
  const names = new Map(
    rewrites?.flatMap((rewrite) =>
      rewrite.kind === 'KeyRenamer' ? [[rewrite.path.at(-1), rewrite.renameKeyTo] as const] : [],
    ),
  );
  return names.size === 0 ? path : path.map((key) => names.get(String(key)) ?? key);
}
