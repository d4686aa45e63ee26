import { subgraphOperation, type SubgraphOperation } from '../../fetch/transport';
import type { EntitiesOperation } from './operation';
import type { Projection } from './projection';
import { MergedSelection, renameVariables, type RenamedSelection } from './selection';

/** A call as far as it decides how it is merged: equal lists of representations, and equal variables, have one number. */
export interface CallShape {
  operation: EntitiesOperation;
  /** For each part its list of representations. */
  lists: readonly number[];
  /** For each variable its definition and value. */
  values: readonly number[];
  /** Whether its fields must not stand beside those of other calls. */
  isApart: boolean;
}

/** One request for several calls; it holds for all calls of the same shapes. */
export interface MergedRequest {
  operation: SubgraphOperation;
  /** Indexes of the calls it stands for. */
  calls: readonly number[];
  /** Variables and the numbers of what they get. */
  values: readonly { name: string; value: number }[];
  /** Variables that get representations: those of all lists with these numbers. */
  lists: readonly { name: string; lists: readonly number[] }[];
  fields: readonly MergedField[];
}

/** One `_entities` field of a merged request. */
export interface MergedField {
  alias: string;
  /** The index of its representations in `lists`. */
  list: number;
  parts: readonly { call: number; alias: string; list: number; wanted: Projection }[];
}

/** `_entities` fields that one request has, at most: as many as the gateway's own plans put into one. */
const MAX_FIELDS = 30;

/** Merges calls into as few requests as can be. The same calls in the same order give the same documents. */
export function mergeCalls(shapes: readonly CallShape[]): MergedRequest[] {
  const drafts: Draft[] = [];
  for (const [index, shape] of shapes.entries()) {
    const last = drafts.at(-1);
    if (last?.hasRoomFor(shape)) last.add(index, shape);
    else drafts.push(new Draft().add(index, shape));
  }
  return drafts.map((draft) => draft.finish());
}

interface DraftField {
  list: number;
  isApart: boolean;
  selection: MergedSelection;
  parts: MergedField['parts'][number][];
}

class Draft {
  private readonly calls: number[] = [];
  private readonly fields: DraftField[] = [];
  private readonly definitions = new Map<number, string>();

  hasRoomFor({ operation }: CallShape): boolean {
    return this.fields.length + operation.parts.length <= MAX_FIELDS;
  }

  add(call: number, shape: CallShape): this {
    const { parts, variables } = shape.operation;
    this.calls.push(call);
    for (const [index, { definition }] of variables.entries()) this.definitions.set(shape.values[index]!, definition);
    const renamed = new Map(variables.map(({ name }, index) => [name, variableName(shape.values[index]!)]));
    for (const [index, part] of parts.entries()) {
      const list = shape.lists[index]!;
      const field = this.fieldFor(renameVariables(part.fields, renamed), list, shape.isApart);
      field.parts.push({ call, alias: part.alias, list, wanted: part.projection });
    }
    return this;
  }

  /** A field for the same representations that can take the part's selection, too; else a new one. */
  private fieldFor(selected: RenamedSelection, list: number, isApart: boolean): DraftField {
    for (const field of this.fields) {
      if (!isApart && !field.isApart && field.list === list && field.selection.add(selected)) return field;
    }
    const selection = new MergedSelection();
    selection.add(selected);
    const made = { list, isApart, selection, parts: [] };
    this.fields.push(made);
    return made;
  }

  finish(): MergedRequest {
    const lists = new Map<string, number[]>();
    const fields = [...this.fieldsByText()].map(([text, { lists: numbers, parts }], index) => {
      const key = numbers.join();
      lists.set(key, numbers);
      const list = [...lists.keys()].indexOf(key);
      const alias = `_${index}`;
      return { alias, list, parts, text: `${alias}:_entities(representations:$${listName(list)})${text}` };
    });
    const values = [...this.definitions].map(([value, definition]) => ({
      name: variableName(value),
      value,
      definition: `$${variableName(value)}${definition}`,
    }));
    const named = [...lists.values()].map((numbers, index) => ({ name: listName(index), lists: numbers }));
    const definitions = [...named.map(({ name }) => `$${name}:[_Any!]!`), ...values.map((each) => each.definition)];
    const query = `query(${definitions.join(',')}){${fields.map(({ text }) => text).join(' ')}}`;
    return {
      operation: subgraphOperation(query, undefined, 'query'),
      calls: this.calls,
      values: values.map(({ name, value }) => ({ name, value })),
      lists: named,
      fields: fields.map(({ alias, list, parts }) => ({ alias, list, parts })),
    };
  }

  /** The fields in the order of their texts; those that select the same are one, over the representations of all. */
  private fieldsByText(): Map<string, { lists: number[]; parts: DraftField['parts'] }> {
    const found = this.fields.map((field) => ({ ...field, text: field.selection.text }));
    found.sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : a.list - b.list));
    const fields = new Map<string, { lists: number[]; parts: DraftField['parts'] }>();
    for (const { text, list, parts } of found) {
      const known = fields.get(text);
      if (!known) fields.set(text, { lists: [list], parts });
      else fields.set(text, { lists: [...new Set([...known.lists, list])], parts: [...known.parts, ...parts] });
    }
    return fields;
  }
}

function variableName(value: number): string {
  return `v${value}`;
}

function listName(index: number): string {
  return `r${index}`;
}
