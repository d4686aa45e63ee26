import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { SautiError } from '../../platform/errors';
import type { FlattenPath } from '../compile/flatten-path';
import type { EntityFetch, Renames, RootFetch } from '../compile/program';
import type { Fault } from '../compile/response-writer';
import { SubgraphError, type SubgraphErrorCode } from '../fetch/transport';
import type { DataObject } from './data';
import { isDeadline } from './deadline';
import type { Execution } from './execution';

type Path = readonly (string | number)[];

/** Places one error of an entity is reported at, at most: little data can stand at very many places. */
const MAX_PLACES = 100;
/** What is taken over of one answer of a subgraph, at most: the rest would only be longer to read. */
const MAX_ERRORS = 1_000;
const MAX_MESSAGE_LENGTH = 4_000;
const MAX_CODE_LENGTH = 100;
/** Steps of a path, and characters of one. */
const MAX_STEPS = 100;
const MAX_STEP_LENGTH = 200;

/** The paths of objects of the data, as a client sees them. */
export function placesOf(paths: readonly FlattenPath[], objects: readonly DataObject[], execution: Execution): Path[] {
  return [...placesByObject(paths, objects, execution).values()].flat();
}

/** The same for each object, of one walk through the data. */
function placesByObject(
  paths: readonly FlattenPath[],
  objects: readonly DataObject[],
  execution: Execution,
): Map<DataObject, Path[]> {
  const wanted = new Set(objects);
  const found = new Map<DataObject, Path[]>();
  for (const path of paths) {
    path.locate(execution.data, wanted, (object, at) => {
      const places = found.get(object);
      if (!places) found.set(object, [at]);
      else if (places.length < MAX_PLACES) places.push(at);
      return true;
    });
  }
  return found;
}

/** Takes over the errors of an answer to root fields, with the paths a client knows. */
export function adoptRootErrors(
  errors: readonly GraphQLFormattedError[],
  root: Pick<RootFetch, 'path' | 'renames'>,
  targets: readonly DataObject[],
  execution: Execution,
): GraphQLError[] {
  const places = root.path ? placesOf([root.path], targets, execution) : [[]];
  return adoptSome(errors, (error) =>
    places.map((place) => adopt(error, [...place, ...renamed(error.path, root.renames)])),
  );
}

/**
 * Takes over the errors of an answer about entities: what an entity could not answer is reported at every place it
 * stands for, what concerns all of them at what these places have in common.
 */
export function adoptEntityErrors(
  errors: readonly GraphQLFormattedError[],
  wanted: readonly { part: EntityFetch; targets: readonly DataObject[][][] }[],
  execution: Execution,
): GraphQLError[] {
  // The data is walked once for an answer, however many of its entities failed.
  const walked = new Map<EntityFetch, Map<DataObject, Path[]>>();
  const placesIn = ({ part, targets }: (typeof wanted)[number]): Map<DataObject, Path[]> => {
    const known = walked.get(part) ?? placesByObject(part.paths, targets.flat(2), execution);
    walked.set(part, known);
    return known;
  };
  return adoptSome(errors, (error) => {
    const [alias, index, ...rest] = Array.isArray(error.path) ? (error.path as Path) : [];
    const found = wanted.filter(({ part }) => part.alias === alias);
    const [one] = found;
    const objects = typeof index === 'number' ? one?.targets[index]?.flat() : undefined;
    if (one && objects) {
      const path = renamed(rest, one.part.renames);
      const places = objects.flatMap((object) => placesIn(one).get(object) ?? []).slice(0, MAX_PLACES);
      if (places.length > 0) return places.map((place) => adopt(error, [...place, ...path]));
    }
    const concerned = found.length > 0 ? found : wanted;
    return [adopt(error, commonPath(concerned.flatMap((each) => [...placesIn(each).values()].flat())))];
  });
}

function adoptSome(
  errors: readonly GraphQLFormattedError[],
  adoptOne: (error: GraphQLFormattedError) => GraphQLError[],
): GraphQLError[] {
  const adopted: GraphQLError[] = [];
  for (const error of errors) {
    adopted.push(...adoptOne(error));
    if (adopted.length >= MAX_ERRORS) return adopted.slice(0, MAX_ERRORS);
  }
  return adopted;
}

/** Of the extensions only `code` and `requestId` pass: everything else may tell what is inside. */
function adopt(error: GraphQLFormattedError, path: Path): GraphQLError {
  const { code, requestId } = error.extensions ?? {};
  const message = typeof error.message === 'string' && error.message ? error.message : 'The request failed.';
  return new GraphQLError(message.slice(0, MAX_MESSAGE_LENGTH), {
    ...(path.length > 0 ? { path } : {}),
    extensions: {
      code: isShort(code) ? code : 'INTERNAL',
      ...(isShort(requestId) ? { requestId } : {}),
    },
  });
}

function isShort(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_CODE_LENGTH;
}

/**
 * The one error for a fetch without an answer: neutral, because the reason (an address, a stack, a body) is for the
 * log, where it goes with the same request id. `places` are those the fetch was for, `field` what it selects there.
 */
export function fetchFailure(
  error: unknown,
  subgraph: string,
  places: readonly Path[],
  field: Path,
  execution: Execution,
): GraphQLError {
  const { requestId } = execution.caller.identity;
  const path = [...commonPath(places), ...field];
  const fail = (message: string, code: string): GraphQLError =>
    new GraphQLError(message, { ...(path.length > 0 ? { path } : {}), extensions: { code, requestId } });
  if (execution.signal.aborted) {
    return isDeadline(execution.signal.reason)
      ? fail('This part of the answer took too long.', 'TIMEOUT')
      : fail('The request was cancelled.', 'CANCELLED');
  }
  if (error instanceof SautiError) return fail(error.message, error.code);
  const details = { subgraph, requestId, error };
  if (!(error instanceof SubgraphError)) {
    execution.services.logger.error(details, 'calling a subgraph failed');
    return fail(MESSAGES.SUBGRAPH_UNAVAILABLE, 'SUBGRAPH_UNAVAILABLE');
  }
  execution.services.logger.warn(details, 'a subgraph gave no answer');
  return fail(MESSAGES[error.code], error.code);
}

/** What a client may know of why a subgraph gave no answer. */
const MESSAGES: Record<SubgraphErrorCode, string> = {
  SUBGRAPH_UNAVAILABLE: 'Part of the service cannot be reached at the moment. Try again in a few seconds.',
  SUBGRAPH_TIMEOUT: 'Part of the service took too long to answer.',
  SUBGRAPH_BAD_RESPONSE: 'Part of the service gave an answer that cannot be used.',
};

/** Errors for what had to be null without a reason, unless an error at the same place already explains it. */
export function unexplained(faults: readonly Fault[], errors: readonly GraphQLError[]): GraphQLError[] {
  return faults
    .filter(({ path }) => !errors.some((known) => explains(known.path ?? [], path)))
    .map(({ path, message }) => new GraphQLError(message, { path, extensions: { code: 'SUBGRAPH_BAD_RESPONSE' } }));
}

/** Whether the place of one error contains the other's. An error without a path is about everything. */
function explains(known: Path, path: Path): boolean {
  return known.every((key, index) => index >= path.length || key === path[index]);
}

/** The longest path that leads to all places. */
function commonPath(places: readonly Path[]): Path {
  const [first = [], ...others] = places;
  let { length } = first;
  for (const place of others) {
    const differs = first.findIndex((key, index) => key !== place[index]);
    if (differs !== -1) length = Math.min(length, differs);
  }
  return first.slice(0, length);
}

/** Undoes the planner's aliases in an error path: `[…, 'name__alias_0']` is `[…, 'name']` for the client. */
function renamed(path: readonly (string | number)[] | undefined, renames: Renames): Path {
  // A path comes from outside, whatever its type says.
  if (!Array.isArray(path)) return [];
  const given = path.slice(0, MAX_STEPS) as unknown[];
  const wrong = given.findIndex((step) => !isStep(step));
  const steps = (wrong === -1 ? given : given.slice(0, wrong)) as Path;
  return renames.size === 0 ? steps : steps.map((key) => renames.get(String(key)) ?? key);
}

/** Whether a step of a path is one: a response name or an index. */
function isStep(step: unknown): boolean {
  return typeof step === 'string' ? step.length <= MAX_STEP_LENGTH : Number.isInteger(step) && (step as number) >= 0;
}
