import type { GraphQLFormattedError } from 'graphql';
import { isDataObject, ownValue, setValue, type DataObject } from '../../execute/data';
import type { SubgraphAnswer } from '../../fetch/transport';
import { isEmptyAt, project, stepsWithin } from './projection';
import type { Representations } from './representations';
import type { MergedField, MergedRequest } from './requests';

/** What the calls of a merged request get of its answer; they are named by their indexes. */
export interface SplitAnswer {
  answers: ReadonlyMap<number, SubgraphAnswer>;
  /** Calls that must be asked alone: an error of a field they did not select emptied what they selected. */
  spoilt: ReadonlySet<number>;
  /** The calls that selected such a field. */
  spoilers: ReadonlySet<number>;
}

/** Errors that one call gets, at most: as many as execution takes over of one answer. */
const MAX_ERRORS = 1_000;

type Part = MergedField['parts'][number];
type Answered = { data: DataObject; errors: GraphQLFormattedError[] };

/** Gives each call the part of an answer that it would have had alone. Undefined when there is no data to split. */
export function splitAnswer(
  request: MergedRequest,
  lists: readonly Representations[],
  answer: SubgraphAnswer,
): SplitAnswer | undefined {
  const { data, errors } = answer;
  if (!isDataObject(data)) return undefined;
  const split = new Split(request, lists, data);
  for (const field of request.fields) split.takeEntities(field);
  for (const error of errors ?? []) split.takeError(error);
  return split.result();
}

class Split {
  private readonly answers: ReadonlyMap<number, Answered>;
  private readonly spoilt = new Set<number>();
  private readonly spoilers = new Set<number>();

  constructor(
    private readonly request: MergedRequest,
    private readonly lists: readonly Representations[],
    private readonly data: DataObject,
  ) {
    this.answers = new Map(request.calls.map((call) => [call, { data: {}, errors: [] }]));
  }

  takeEntities(field: MergedField): void {
    const entities = ownValue(this.data, field.alias);
    if (entities === undefined) return;
    const { count, placesOf } = this.lists[field.list]!;
    const isWrong = count !== undefined && Array.isArray(entities) && entities.length !== count;
    for (const { call, alias, list, wanted } of field.parts) {
      const places = placesOf(list);
      if (isWrong) this.spoilt.add(call);
      else if (!Array.isArray(entities)) this.give(call, alias, entities);
      else if (places)
        this.give(
          call,
          alias,
          places.map((place) => project(entities[place], wanted)),
        );
      // What only one has asked for is its own.
      else this.give(call, alias, field.parts.length === 1 ? entities : project(entities, wanted));
    }
  }

  takeError(error: GraphQLFormattedError): void {
    const [alias, index, ...rest] = Array.isArray(error.path) ? (error.path as readonly (string | number)[]) : [];
    const field = this.request.fields.find((each) => each.alias === alias);
    if (!field) {
      for (const call of this.request.calls) this.tell(call, error, undefined);
      return;
    }
    if (typeof index !== 'number') {
      for (const part of field.parts) this.tell(part.call, error, [part.alias]);
      return;
    }
    this.takeEntityError(error, field, index, rest);
  }

  private takeEntityError(
    error: GraphQLFormattedError,
    field: MergedField,
    index: number,
    rest: readonly (string | number)[],
  ): void {
    const entities = ownValue(this.data, field.alias);
    const selecting: number[] = [];
    let hasSpoilt = false;
    for (const part of field.parts) {
      const own = this.placeIn(part, field, index);
      const steps = own === undefined ? 0 : stepsWithin(rest, part.wanted);
      if (own !== undefined && steps === rest.length) {
        this.tell(part.call, error, [part.alias, own, ...rest]);
        selecting.push(part.call);
      } else if (isEmptyAt(entities, own === undefined ? [] : [index, ...rest.slice(0, steps)])) {
        this.spoilt.add(part.call);
        hasSpoilt = true;
      }
    }
    if (hasSpoilt) for (const call of selecting) this.spoilers.add(call);
  }

  /** The index that a part knows an entity by; undefined when it did not ask for it. */
  private placeIn({ list }: Part, field: MergedField, index: number): number | undefined {
    const places = this.lists[field.list]!.placesOf(list);
    if (!places) return index;
    const own = places.indexOf(index);
    return own === -1 ? undefined : own;
  }

  private give(call: number, alias: string, entities: unknown): void {
    setValue(this.answers.get(call)!.data, alias, entities);
  }

  /** Locations are not told: they are places of a document that nobody has seen. */
  private tell(
    call: number,
    { message, extensions }: GraphQLFormattedError,
    path: (string | number)[] | undefined,
  ): void {
    const { errors } = this.answers.get(call)!;
    if (errors.length === MAX_ERRORS) return;
    errors.push({ message, ...(path ? { path } : {}), ...(extensions ? { extensions } : {}) });
  }

  result(): SplitAnswer {
    const answers = [...this.answers].map(
      ([call, { data, errors }]) => [call, errors.length > 0 ? { data, errors } : { data }] as const,
    );
    return { answers: new Map(answers), spoilt: this.spoilt, spoilers: this.spoilers };
  }
}
