import type { CancelSignal } from '../../platform/cancellation';
import { MAX_REPRESENTATIONS } from '../../platform/subgraph/representations';
import { jsonValue } from '../compile/json';
import type { FlattenPath } from '../compile/flatten-path';
import type { EntityFetch, RootFetch, Step } from '../compile/program';
import { SubgraphError, type SubgraphAnswer, type SubgraphCall, type SubgraphOperation } from '../fetch/transport';
import { uploadsIn } from '../fetch/multipart-body';
import { copyOf, isDataObject, mergeInto, ownValue, setValue, type DataObject, type KeepTypename } from './data';
import { adoptEntityErrors, adoptRootErrors, placesOf, recordFailure, rootPlaces } from './errors';
import type { Caller, Execution } from './execution';

/**
 * Runs one step over the objects it applies to and merges the answer into them. Never rejects: what fails is recorded
 * as errors, so that the other branches of the plan still answer.
 */
export async function runStep(step: Step, execution: Execution, mayShare: boolean): Promise<void> {
  try {
    await fetchStep(step, execution, mayShare);
  } catch (error) {
    recordFailure(error, step.subgraph, { places: [[]], fields: undefined }, execution);
  }
}

function fetchStep(step: Step, execution: Execution, mayShare: boolean): Promise<void> {
  if (step.root) return runRoot(step, step.root, execution);
  const [part] = step.parts;
  if (part?.context) return runInContext(step, part, execution);
  return runEntities(
    step,
    step.parts.map((each) => wantedAt(each, execution, mayShare)),
    NOTHING,
    execution,
    mayShare,
  );
}

async function runRoot(step: Step, root: RootFetch, execution: Execution): Promise<void> {
  const targets = root.path ? root.path.collect(execution.data, execution.places.isShared) : [execution.data];
  const [first, ...others] = targets;
  if (!first) return;
  try {
    const answer = await send(step, step.operation(0), execution, [], NOTHING);
    if (answer.errors) execution.errors.push(...adoptRootErrors(answer.errors, root, targets, execution));
    if (!isDataObject(answer.data)) {
      if (answer.errors) return void execution.nulled.push(...fieldPlaces(root, targets, execution));
      throw new SubgraphError('SUBGRAPH_BAD_RESPONSE', 'answered with neither data nor errors');
    }
    root.rewriteOutput?.(answer.data);
    execution.places.found.clear();
    const { keepTypename } = execution.services;
    for (const target of others) mergeInto(target, copyOf(answer.data) as DataObject, keepTypename);
    mergeInto(first, answer.data, keepTypename);
  } catch (error) {
    const places = rootPlaces(root, targets, execution);
    recordFailure(error, step.subgraph, { places, fields: new Set(root.fields) }, execution);
  }
}

/** The paths of all fields that a root fetch selects. */
function fieldPlaces(root: RootFetch, targets: readonly DataObject[], execution: Execution): (string | number)[][] {
  return rootPlaces(root, targets, execution).flatMap((place) => root.fields.map((field) => [...place, field]));
}

/** One request for each way the surroundings of the entities fill `@fromContext` arguments. */
async function runInContext(step: Step, part: EntityFetch, execution: Execution): Promise<void> {
  const groups = part.context?.(execution.data) ?? [];
  await Promise.all(
    groups.map(({ objects, variables }) => {
      const wanted = new Wanted(part);
      for (const object of objects) wanted.add(object, 0, false);
      return runEntities(step, [wanted], variables, execution, false);
    }),
  );
}

/** The entities one `_entities` field asks for, each once, and the objects of the data that stand for them. */
class Wanted {
  /** JSON texts of the representations. */
  readonly texts: string[] = [];
  /** For each representation and each path of the part the objects there. */
  readonly targets: DataObject[][][] = [];
  /** By text, or by the one leaf in which representations differ. */
  private readonly indexes = new Map<unknown, number>();

  constructor(readonly part: EntityFetch) {}

  /** The entities from one index up to another. */
  slice(from: number, to: number): Wanted {
    const some = new Wanted(this.part);
    some.texts.push(...this.texts.slice(from, to));
    some.targets.push(...this.targets.slice(from, to));
    return some;
  }

  /** Returns the object that is to stand in this one's place: another one that says just the same, or itself. */
  add(object: DataObject, path: number, mayShare: boolean): DataObject {
    const index = this.indexOf(object);
    if (index === undefined) return object;
    const paths = this.targets[index]!;
    const objects = paths[path];
    if (!objects) {
      paths[path] = [object];
      return object;
    }
    const [first] = objects;
    const { representation } = this.part;
    if (mayShare && first && representation.isStub(object) && representation.isStub(first)) return first;
    objects.push(object);
    return object;
  }

  private indexOf(object: DataObject): number | undefined {
    const { representation } = this.part;
    const { single } = representation;
    let text: string | undefined;
    let key: unknown;
    if (single && object['__typename'] === single.typename) key = single.get(object);
    else key = text = representation.textOf(object);
    if (key === undefined) return undefined;
    const known = this.indexes.get(key);
    if (known !== undefined) return known;
    text ??= representation.textOf(object);
    if (text === undefined) return undefined;
    const index = this.texts.push(text) - 1;
    this.indexes.set(key, index);
    this.targets.push([]);
    return index;
  }
}

function wantedAt(part: EntityFetch, execution: Execution, mayShare: boolean): Wanted {
  const wanted = new Wanted(part);
  for (let index = 0; index < part.paths.length; index++) {
    const path = part.paths[index]!;
    const found = execution.places.found.get(path);
    if (found) for (const object of found) wanted.add(object, index, false);
    else execution.places.found.set(path, findAt(path, wanted, index, execution, mayShare));
  }
  return wanted;
}

/** Adds the objects at a path. Those that say the same become one: then everything about them is done once. */
function findAt(
  path: FlattenPath,
  wanted: Wanted,
  index: number,
  execution: Execution,
  mayShare: boolean,
): DataObject[] {
  const found: DataObject[] = [];
  path.visit(execution.data, execution.places.isShared, (object) => {
    const kept = wanted.add(object, index, mayShare);
    if (kept === object) found.push(object);
    else execution.places.isShared = true;
    return kept;
  });
  return found;
}

/** Asks for entities and merges what is answered; many in several requests, since subgraphs take only so many in one. */
async function runEntities(
  step: Step,
  all: readonly Wanted[],
  contextual: DataObject,
  execution: Execution,
  mayShare: boolean,
): Promise<void> {
  let bits = 0;
  for (let index = 0; index < all.length; index++) if (all[index]!.texts.length > 0) bits |= 1 << index;
  if (bits === 0) return;
  const most = Math.max(...all.map(({ texts }) => texts.length));
  if (most > MAX_REPRESENTATIONS) {
    const runs: Promise<void>[] = [];
    for (let from = 0; from < most; from += MAX_REPRESENTATIONS) {
      const some = all.map((each) => each.slice(from, from + MAX_REPRESENTATIONS));
      runs.push(runEntities(step, some, contextual, execution, mayShare));
    }
    return void (await Promise.all(runs));
  }
  const wanted = all.filter(({ texts }) => texts.length > 0);
  try {
    const answer = await send(step, step.operation(bits), execution, wanted, contextual);
    // A subgraph that gives up all of a request may have done so for one of its parts: the others are asked for again.
    if (wanted.length > 1 && answer.errors && !isDataObject(answer.data)) {
      const alone = (one: Wanted): Promise<void> =>
        runEntities(
          step,
          all.map((each) => (each === one ? each : new Wanted(each.part))),
          contextual,
          execution,
          mayShare,
        );
      return void (await Promise.all(wanted.map(alone)));
    }
    for (const each of wanted) takeEntities(each, answer, execution, mayShare);
    if (answer.errors) execution.errors.push(...adoptEntityErrors(answer.errors, wanted, execution));
  } catch (error) {
    for (const { part, targets } of wanted) {
      const places = placesOf(part.paths, targets.flat(2), execution);
      recordFailure(error, step.subgraph, { places, fields: new Set(part.fields.map(({ key }) => key)) }, execution);
    }
  }
}

function takeEntities(
  { part, texts, targets }: Wanted,
  answer: SubgraphAnswer,
  execution: Execution,
  mayShare: boolean,
): void {
  const entities = isDataObject(answer.data) ? ownValue(answer.data, part.alias) : undefined;
  if (!Array.isArray(entities)) {
    if (answer.errors && (entities === null || entities === undefined)) return;
    throw new SubgraphError('SUBGRAPH_BAD_RESPONSE', 'answered with no list of entities');
  }
  if (entities.length !== texts.length) {
    throw new SubgraphError(
      'SUBGRAPH_BAD_RESPONSE',
      `answered with ${entities.length} entities, not with the ${texts.length} it was asked for`,
    );
  }
  const { keepTypename } = execution.services;
  if (!part.isFlat) execution.places.found.clear();
  for (let index = 0; index < entities.length; index++) {
    const entity: unknown = entities[index];
    const paths = targets[index]!;
    if (!isDataObject(entity)) {
      for (const objects of paths) for (const object of objects ?? []) fillWithNull(object, part.fields);
      continue;
    }
    part.rewriteOutput?.(entity);
    // Equal entities at one path share what they were answered; at another path other fields may follow.
    for (let path = paths.length - 1; path >= 0; path--) {
      const objects = paths[path];
      if (!objects) continue;
      if (part.isFlat) {
        for (let at = 0; at < objects.length; at++) mergeFields(objects[at]!, entity, part.fields, keepTypename);
        continue;
      }
      const own = path === 0 ? entity : (copyOf(entity) as DataObject);
      if (mayShare && objects.length > 1) execution.places.isShared = true;
      for (let at = objects.length - 1; at >= 0; at--)
        mergeInto(objects[at]!, mayShare || at === 0 ? own : (copyOf(own) as DataObject), keepTypename);
    }
  }
}

/** Merges leaves: only those that were asked for, which are known. */
function mergeFields(
  target: DataObject,
  entity: DataObject,
  fields: EntityFetch['fields'],
  keepTypename: KeepTypename,
): void {
  for (let index = 0; index < fields.length; index++) {
    const { key, get } = fields[index]!;
    const value = get(entity);
    if (value === undefined) continue;
    const existing = get(target);
    if (existing !== undefined && existing !== null && (value === null || isKept(key, existing, keepTypename)))
      continue;
    setValue(target, key, value);
  }
}

function isKept(key: string, existing: unknown, keepTypename: KeepTypename): boolean {
  return key === '__typename' && typeof existing === 'string' && keepTypename(existing);
}

/** The subgraph knows no such entity: what it should have said about it is null. */
function fillWithNull(object: DataObject, fields: EntityFetch['fields']): void {
  for (const { key, get } of fields) if (get(object) === undefined) setValue(object, key, null);
}

function send(
  step: Step,
  operation: SubgraphOperation,
  execution: Execution,
  wanted: readonly Wanted[],
  contextual: DataObject,
): Promise<SubgraphAnswer> {
  const transport = execution.services.transports.get(step.subgraph);
  if (!transport) throw new SubgraphError('SUBGRAPH_UNAVAILABLE', 'no transport has this name');
  if (execution.signal.aborted) throw execution.signal.reason;
  const given = givenOf(step.variables, execution.variables, contextual);
  return transport.execute(callOf(operation, execution, given, wanted));
}

type Given = readonly (readonly [string, unknown])[];
const NOTHING: DataObject = {};

/** The variables a request needs, and only those: one subgraph need not learn what was meant for another. */
function givenOf(names: readonly string[], variables: Record<string, unknown>, contextual: DataObject): Given {
  const given: (readonly [string, unknown])[] = [];
  for (const name of names) if (Object.hasOwn(variables, name)) given.push([name, variables[name]]);
  if (contextual !== NOTHING) given.push(...Object.entries(contextual));
  return given;
}

function callOf(
  operation: SubgraphOperation,
  { caller, signal }: { caller: Caller; signal: CancelSignal },
  given: Given,
  wanted: readonly Wanted[],
): SubgraphCall {
  return {
    operation,
    variablesText: () => variablesText(given, wanted),
    variables: () => ({
      ...Object.fromEntries(given),
      ...Object.fromEntries(
        wanted.map(({ part, texts }) => [part.variable, JSON.parse(`[${texts.join(',')}]`) as unknown]),
      ),
    }),
    hasUploads: caller.bodyReceived !== undefined && uploadsIn(Object.fromEntries(given)).files.length > 0,
    identity: caller.identity,
    authorization: caller.authorization,
    headers: caller.headers,
    connectionParams: caller.connectionParams,
    onSession: caller.onSession,
    signal,
  };
}

function variablesText(given: Given, wanted: readonly Wanted[]): string {
  let text = '';
  for (const [name, value] of given) {
    const valueText = jsonValue(value);
    if (valueText !== undefined) text += `${text === '' ? '{' : ','}"${name}":${valueText}`;
  }
  for (const { part, texts } of wanted) text += `${text === '' ? '{' : ','}"${part.variable}":[${texts.join(',')}]`;
  return text === '' ? '{}' : `${text}}`;
}

/** A call that opens a subscription; `start` are variables beside those of the client. */
export function sourceCall(
  operation: SubgraphOperation,
  names: readonly string[],
  variables: Record<string, unknown>,
  start: DataObject,
  caller: Caller,
): SubgraphCall {
  const given = [...givenOf(names, variables, NOTHING), ...Object.entries(start)];
  return callOf(operation, { caller, signal: caller.signal }, given, []);
}
