import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { SautiError } from '../../platform/errors';
import { denialError } from '../access/refusal';
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

/** The paths of the objects that a root fetch answers about: mostly the root of the data, which has none. */
export function rootPlaces(
  root: Pick<RootFetch, 'path'>,
  targets: readonly DataObject[],
  execution: Execution,
): Path[] {
  return root.path ? placesOf([root.path], targets, execution) : [[]];
}

/** Takes over the errors of an answer to root fields, with the paths a client knows. */
export function adoptRootErrors(
  errors: readonly GraphQLFormattedError[],
  root: Pick<RootFetch, 'path' | 'renames'>,
  targets: readonly DataObject[],
  execution: Execution,
): GraphQLError[] {
  const places = rootPlaces(root, targets, execution);
  return adoptSome(errors, (error) =>
    places.map((place) =>
      adopt(error, [...place, ...renamed(error.path, root.renames)], execution.services.showsAllMessages),
    ),
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
  const { showsAllMessages } = execution.services;
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
      if (places.length > 0) return places.map((place) => adopt(error, [...place, ...path], showsAllMessages));
    }
    const concerned = found.length > 0 ? found : wanted;
    return [
      adopt(error, commonPath(concerned.flatMap((each) => [...placesIn(each).values()].flat())), showsAllMessages),
    ];
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

const FAILED = 'The request failed.';

/**
 * Of the extensions only `code` and `requestId` pass: everything else may tell what is inside. So may a message nobody
 * meant for clients, of an error without a code: it passes while `isMeant`, in development.
 */
function adopt(error: GraphQLFormattedError, path: Path, isMeant: boolean): GraphQLError {
  const { code, requestId } = error.extensions ?? {};
  const given = typeof error.message === 'string' && error.message ? error.message : FAILED;
  const message = isMeant || (isShort(code) && code !== 'INTERNAL_SERVER_ERROR') ? given : FAILED;
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

/** A fetch without an answer: what is missing because of it is told where the client misses it. */
export interface Failure {
  message: string;
  code: string;
  requestId: string;
  /** The objects it was for. */
  places: readonly Path[];
  /** What it would have answered about them; undefined when that is not known. */
  fields: ReadonlySet<string> | undefined;
}

/**
 * Records that a fetch has no answer. What clients are told is neutral: the reason (an address, a stack, a body) is for
 * the log, where it goes with the same request id.
 */
export function recordFailure(
  error: unknown,
  subgraph: string,
  missing: Pick<Failure, 'places' | 'fields'>,
  execution: Execution,
): void {
  execution.failures.push({ ...reasonOf(error, subgraph, execution), ...missing });
}

/** The error for a failed fetch as a whole, at a path. */
export function failureAt(error: unknown, subgraph: string, path: Path, execution: Execution): GraphQLError {
  return failureError(reasonOf(error, subgraph, execution), path);
}

type Reason = Pick<Failure, 'message' | 'code' | 'requestId'>;

function failureError({ message, code, requestId }: Reason, path: Path): GraphQLError {
  return new GraphQLError(message, { ...(path.length > 0 ? { path } : {}), extensions: { code, requestId } });
}

function reasonOf(error: unknown, subgraph: string, { caller, signal, services }: Execution): Reason {
  const { requestId } = caller.identity;
  if (signal.aborted) {
    return isDeadline(signal.reason)
      ? { message: 'This part of the answer took too long.', code: 'TIMEOUT', requestId }
      : { message: 'The request was cancelled.', code: 'CANCELLED', requestId };
  }
  if (error instanceof SautiError) return { message: error.message, code: error.code, requestId };
  const details = { subgraph, requestId, error };
  if (!(error instanceof SubgraphError)) {
    services.logger.error(details, 'calling a subgraph failed');
    return { message: MESSAGES.SUBGRAPH_UNAVAILABLE, code: 'SUBGRAPH_UNAVAILABLE', requestId };
  }
  services.logger.warn(details, 'a subgraph gave no answer');
  return { message: MESSAGES[error.code], code: error.code, requestId };
}

/** What a client may know of why a subgraph gave no answer. */
const MESSAGES: Record<SubgraphErrorCode, string> = {
  SUBGRAPH_UNAVAILABLE: 'Part of the service cannot be reached at the moment. Try again in a few seconds.',
  SUBGRAPH_TIMEOUT: 'Part of the service took too long to answer.',
  SUBGRAPH_BAD_RESPONSE: 'Part of the service gave an answer that cannot be used.',
};

/**
 * All errors of an answer at `base`: those recorded, and one for each field the client misses without any of them at its
 * place: it has the reason of the fetch that would have answered it, as many as `MAX_PLACES` for each, or says that an answer
 * was no good. A failure nobody misses anything of is told as a whole.
 */
export function allErrors(faults: readonly Fault[], execution: Execution, base: Path): GraphQLError[] {
  const { errors, failures, inherited, nulled } = execution;
  if (faults.length === 0 && failures.length === 0) return errors;
  const all = [...errors];
  const told = new Map<Failure, number>();
  for (const { path: inside, message, denial } of faults) {
    const path = [...base, ...inside];
    if (denial) {
      all.push(denialError(denial, execution.caller.identity.viewer, path));
      continue;
    }
    if (errors.some((known) => explains(known.path ?? [], path)) || nulled.some((at) => explains(at, path))) continue;
    const failure = missedBy(path, failures) ?? missedBy(path, inherited);
    if (!failure) {
      all.push(new GraphQLError(message, { path, extensions: { code: 'SUBGRAPH_BAD_RESPONSE' } }));
      continue;
    }
    const count = told.get(failure) ?? 0;
    told.set(failure, count + 1);
    if (count < MAX_PLACES) all.push(failureError(failure, path));
  }
  for (const failure of failures) {
    const isHere = failure.places.some((place) => explains(place, base));
    if (!told.has(failure) && isHere) all.push(failureError(failure, commonPath(failure.places)));
  }
  return all;
}

/** The failure of the fetch that would have answered a field; else of one for the object around it, or further out. */
function missedBy(path: Path, failures: readonly Failure[]): Failure | undefined {
  const around = (place: Path): boolean =>
    place.length < path.length && place.every((key, index) => key === path[index]);
  let found: Failure | undefined;
  for (const failure of failures) {
    for (const place of failure.places) {
      if (!around(place)) continue;
      if (!failure.fields || failure.fields.has(String(path[place.length]))) return failure;
      found ??= failure;
    }
  }
  return found;
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
