import {
  isAbstractType,
  isCompositeType,
  isEnumType,
  isListType,
  isNonNullType,
  isObjectType,
  isSpecifiedScalarType,
  Kind,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  type SelectionSetNode,
} from 'graphql';
import type { Denial, Denials } from '../access/denials';
import { accessor, isDataObject, type Accessor, type DataObject } from '../execute/data';
import { jsonString, jsonValue } from './json';

/** What is wrong with fetched data at one place of the answer. */
export interface Fault {
  path: (string | number)[];
  message: string;
  /** It is not for the caller. */
  denial?: Denial;
}

/** The JSON text of an answer's `data`, with what had to be null although nobody said why. */
export interface WrittenData {
  text: string;
  faults: Fault[];
}

export interface WriteOptions {
  /** Answers a `__schema` or `__type` field with its JSON text. */
  introspect: (field: FieldNode) => string;
  /** Whether some objects stand at several places: then their text is kept. */
  isShared: boolean;
  /** Characters the text may have; beyond them {@link ResponseTooLargeError} is thrown. */
  maxLength: number;
}

/** Writes the answer to a selection out of fetched data. */
export type ResponseWriter = (data: DataObject, options: WriteOptions) => WrittenData;

/** The answer grew beyond its limit: a short document and little data can describe a very long one. */
export class ResponseTooLargeError extends Error {
  constructor(readonly maxLength: number) {
    super(`The answer must not be longer than ${maxLength} characters.`);
    this.name = 'ResponseTooLargeError';
  }
}

export interface WriterInput {
  schema: GraphQLSchema;
  type: GraphQLCompositeType;
  selections: readonly SelectionSetNode[];
  fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** Whether objects below this path of response names may be reached more than once; their text is kept. */
  mayRepeat: (path: readonly string[]) => boolean;
  /** The response name to write, where it is another than the data's. */
  clientNames: ReadonlyMap<string, string>;
  /** What is not for the caller: it is null, whatever there is. */
  denials: Denials | undefined;
  /** Where the selection stands, as response names. */
  path?: readonly string[];
}

/**
 * Compiles a selection, whose conditions are decided, into a writer: the selected fields in the order of GraphQL's CollectFields, `__typename`, checked
 * leaves, and null propagation (https://spec.graphql.org/October2021/#sec-Handling-Field-Errors). The fields of a type
 * are collected when the first object of that type comes by.
 */
export function responseWriter(input: WriterInput): ResponseWriter {
  const compiler = new WriterCompiler(input);
  const write = compiler.composite(input.type, input.selections, [...(input.path ?? [])]);
  return (data, options) => {
    const state: State = { ...options, path: [], faults: [], faultCount: 0, denied: undefined, kept: [] };
    const text = write(data, state);
    return { text: text ?? 'null', faults: state.faults };
  };
}

/** Faults told of one answer, at most: a list may have a million wrong items. */
const MAX_FAULTS = 1_000;
/** Places told of one field or type that is not for the caller, at most: every item of a list may have it. */
const MAX_DENIED_PLACES = 100;

interface State extends WriteOptions {
  /** Where the writer is. */
  path: (string | number)[];
  faults: Fault[];
  /** Those that are not told any more included. */
  faultCount: number;
  /** How many places were told of each. */
  denied: Map<Denial, number> | undefined;
  /** Texts of objects that may come again, by the number of their writer. */
  kept: (Map<unknown, string> | undefined)[];
}

/** The text of a value, or undefined for null and for what has to become null. */
type Write = (value: unknown, state: State) => string | undefined;

interface WrittenField {
  name: string;
  /** `{"name":` for the first field of an object, `,"name":` for the others. */
  keyText: string;
  get: Accessor;
  write: Write;
  /** Whether the writer needs to know where it is: faults of leaves are told by the object around them. */
  isComposite: boolean;
  isNonNull: boolean;
  /** `Type.field`, for messages. */
  coordinate: string;
  /** What a leaf must be, for messages. */
  typeName: string;
}

class WriterCompiler {
  private keptWriters = 0;

  constructor(private readonly input: WriterInput) {}

  /** A writer of objects of a composite type. */
  composite(type: GraphQLCompositeType, selections: readonly SelectionSetNode[], path: readonly string[]): Write {
    const variants = new Map<string, readonly WrittenField[] | null>();
    // The root is there for everybody: what is not for the caller are its fields.
    const denialOf = (typename: string): Denial | undefined =>
      path.length > 0 ? this.input.denials?.type(typename) : undefined;
    const fieldsOf = (typename: string): readonly WrittenField[] | null => {
      let fields = variants.get(typename);
      if (fields === undefined) {
        const isShown = this.admits(type, typename) && !denialOf(typename);
        fields = isShown ? this.fields(typename, selections, path) : null;
        // Of names nobody knows there is no end.
        if (fields) variants.set(typename, fields);
      }
      return fields;
    };
    // Most objects of a list are of the same type.
    let lastTypename: unknown;
    let lastFields: readonly WrittenField[] | null = null;
    const write: Write = (value, state) => {
      if (value === null || value === undefined) return undefined;
      if (!isDataObject(value)) return fault(state, `Expected an object of type ${type.name}.`);
      const found = value['__typename'];
      if (lastFields === null || found !== lastTypename) {
        lastTypename = found;
        lastFields = fieldsOf(typeof found === 'string' ? found : type.name);
      }
      if (lastFields) return writeFields(lastFields, value, state);
      const denial = denialOf(typeof found === 'string' ? found : type.name);
      return denial ? deny(state, denial) : fault(state, `Expected an object of type ${type.name}.`);
    };
    return this.input.mayRepeat(path) ? this.keeping(write) : write;
  }

  /** Whether an object of a declared type may call itself so. The name of an interface says that it is not known better. */
  private admits(type: GraphQLCompositeType, typename: string): boolean {
    if (typename === type.name) return true;
    const actual = this.input.schema.getType(typename);
    if (!isAbstractType(type) || !actual) return false;
    return (
      (isObjectType(actual) || isAbstractType(actual)) && this.input.schema.isSubType(type, actual as GraphQLObjectType)
    );
  }

  /** Objects that come again have the same text, if nothing in them was at fault. */
  private keeping(write: Write): Write {
    const number = this.keptWriters++;
    return (value, state) => {
      if (!state.isShared) return write(value, state);
      const kept = (state.kept[number] ??= new Map<unknown, string>());
      const known = kept.get(value);
      if (known !== undefined) return known;
      const faults = state.faultCount;
      const text = write(value, state);
      if (text !== undefined && state.faultCount === faults) kept.set(value, text);
      return text;
    };
  }

  private fields(typename: string, selections: readonly SelectionSetNode[], path: readonly string[]): WrittenField[] {
    const collected = new Map<string, FieldNode[]>();
    for (const selection of selections) this.collect(typename, selection, collected);
    return [...collected].map(([name, nodes], index) => this.field(typename, name, nodes, path, index === 0));
  }

  private collect(typename: string, { selections }: SelectionSetNode, into: Map<string, FieldNode[]>): void {
    for (const node of selections) {
      if (node.kind === Kind.FIELD) {
        const name = (node.alias ?? node.name).value;
        const nodes = into.get(name);
        if (nodes) nodes.push(node);
        else into.set(name, [node]);
        continue;
      }
      const fragment = node.kind === Kind.INLINE_FRAGMENT ? node : this.input.fragments.get(node.name.value);
      if (fragment && this.applies(fragment.typeCondition?.name.value, typename))
        this.collect(typename, fragment.selectionSet, into);
    }
  }

  private applies(condition: string | undefined, typename: string): boolean {
    if (condition === undefined || condition === typename) return true;
    const type = this.input.schema.getType(condition);
    const actual = this.input.schema.getType(typename);
    if (!isAbstractType(type) || !actual) return false;
    return (
      (isObjectType(actual) || isAbstractType(actual)) && this.input.schema.isSubType(type, actual as GraphQLObjectType)
    );
  }

  private field(
    typename: string,
    name: string,
    nodes: readonly FieldNode[],
    path: readonly string[],
    isFirst: boolean,
  ): WrittenField {
    const [node] = nodes as [FieldNode, ...FieldNode[]];
    const parent = this.input.schema.getType(typename) as GraphQLCompositeType;
    const selections = nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
    const written = jsonString(this.input.clientNames.get(name) ?? name);
    const base = {
      name,
      keyText: `${isFirst ? '{' : ','}${written}:`,
      coordinate: `${typename}.${node.name.value}`,
      isComposite: false,
      typeName: 'String',
    };
    if (node.name.value === '__typename') {
      const text = isObjectType(parent) ? jsonString(typename) : undefined;
      // An object whose type nobody knows has no type name to show.
      return { ...base, get: () => null, isNonNull: true, write: () => text };
    }
    if (node.name.value === '__schema' || node.name.value === '__type') {
      const all = { kind: Kind.SELECTION_SET, selections: selections.flatMap((set) => set.selections) } as const;
      const whole: FieldNode = { ...node, selectionSet: all };
      return { ...base, get: () => null, isNonNull: false, write: (_, state) => state.introspect(whole) };
    }
    const denial = this.input.denials?.field(typename, node.name.value);
    if (denial) return this.deniedField(base, parent, node.name.value, denial);
    const { type } = ('getFields' in parent ? parent.getFields() : {})[node.name.value]!;
    const inner = isNonNullType(type) ? type.ofType : type;
    return {
      ...base,
      get: accessor(name),
      isNonNull: isNonNullType(type),
      isComposite: isListType(inner) || isCompositeType(inner),
      typeName: String(inner),
      write: this.value(inner, selections, [...path, name], base.coordinate),
    };
  }

  /** It counts as composite because it tells by itself, and with its own place, why it is null. */
  private deniedField(
    base: Omit<WrittenField, 'get' | 'write' | 'isNonNull'>,
    parent: GraphQLCompositeType,
    name: string,
    denial: Denial,
  ): WrittenField {
    const { type } = ('getFields' in parent ? parent.getFields() : {})[name]!;
    const write: Write = (_, state) => deny(state, denial);
    return { ...base, get: () => null, isNonNull: isNonNullType(type), isComposite: true, write };
  }

  private value(
    type: GraphQLOutputType,
    selections: readonly SelectionSetNode[],
    path: readonly string[],
    coordinate: string,
  ): Write {
    if (isListType(type)) {
      const isNonNull = isNonNullType(type.ofType);
      const item: GraphQLOutputType = isNonNullType(type.ofType) ? type.ofType.ofType : type.ofType;
      return writeList(this.value(item, selections, path, coordinate), isNonNull, coordinate, String(item));
    }
    if (isCompositeType(type)) return this.composite(type, selections, path);
    return writeLeaf(type);
  }
}

function writeFields(fields: readonly WrittenField[], object: DataObject, state: State): string | undefined {
  let text = '';
  for (let index = 0; index < fields.length; index++) {
    const field = fields[index]!;
    const value = field.get(object);
    const faults = state.faultCount;
    let written: string | undefined;
    if (field.isComposite) {
      state.path.push(field.name);
      written = field.write(value, state);
      state.path.pop();
    } else {
      written = field.write(value, state);
    }
    if (written === undefined && !isNullAllowed(field, value, state, faults)) return undefined;
    text += field.keyText + (written ?? 'null');
    if (text.length > state.maxLength) throw new ResponseTooLargeError(state.maxLength);
  }
  return text === '' ? '{}' : `${text}}`;
}

/** Whether a field may be null; records what is wrong with that unless a fault since `faults` says it already. */
function isNullAllowed(field: WrittenField, value: unknown, state: State, faults: number): boolean {
  const { name, coordinate, isNonNull, isComposite, typeName } = field;
  state.path.push(name);
  if (value === undefined) fault(state, `The field ${coordinate} was not answered.`);
  else if (value !== null && !isComposite) fault(state, `The value of the field ${coordinate} is no ${typeName}.`);
  else if (isNonNull && state.faultCount === faults)
    fault(state, `Cannot return null for the non-nullable field ${coordinate}.`);
  state.path.pop();
  return !isNonNull;
}

function writeList(writeItem: Write, isNonNull: boolean, coordinate: string, itemType: string): Write {
  return (value, state) => {
    if (value === null || value === undefined) return undefined;
    if (!Array.isArray(value)) return fault(state, `Expected a list for the field ${coordinate}.`);
    const { path } = state;
    const depth = path.push(0) - 1;
    let text = '[';
    let isNull = false;
    for (let index = 0; index < value.length; index++) {
      path[depth] = index;
      const faults = state.faultCount;
      const item: unknown = value[index];
      const written = writeItem(item, state);
      if (written === undefined) {
        isNull ||= isNonNull;
        const isKnown = state.faultCount > faults;
        if (!isKnown && item !== null && item !== undefined)
          fault(state, `An item of the field ${coordinate} is no ${itemType}.`);
        else if (!isKnown && isNonNull) fault(state, `Cannot return null for a non-nullable item of ${coordinate}.`);
      }
      text += index === 0 ? (written ?? 'null') : `,${written ?? 'null'}`;
      if (text.length > state.maxLength) throw new ResponseTooLargeError(state.maxLength);
    }
    path.pop();
    return isNull ? undefined : `${text}]`;
  };
}

/** Writes a leaf; undefined for one that the type does not admit. */
function writeLeaf(type: GraphQLLeafType): Write {
  const accepts = leafTest(type);
  return (value) => (value !== null && value !== undefined && accepts(value) ? jsonValue(value) : undefined);
}

/** Whether a value can stand for a leaf type (https://spec.graphql.org/October2021/#sec-Scalars, result coercion). */
function leafTest(type: GraphQLLeafType): (value: unknown) => boolean {
  if (isEnumType(type)) {
    const names = new Set(type.getValues().map(({ name }) => name));
    return (value) => typeof value === 'string' && names.has(value);
  }
  if (!isSpecifiedScalarType(type)) return () => true;
  switch (type.name) {
    case 'Int':
      return (value) => typeof value === 'number' && (value | 0) === value;
    case 'Float':
      return (value) => typeof value === 'number';
    case 'Boolean':
      return (value) => typeof value === 'boolean';
    case 'ID':
      return (value) => typeof value === 'string' || Number.isInteger(value);
    default:
      return (value) => typeof value === 'string';
  }
}

function deny(state: State, denial: Denial): undefined {
  state.faultCount++;
  const denied = (state.denied ??= new Map<Denial, number>());
  const count = denied.get(denial) ?? 0;
  if (count >= MAX_DENIED_PLACES || state.faults.length >= MAX_FAULTS) return undefined;
  denied.set(denial, count + 1);
  state.faults.push({ path: [...state.path], message: denial.message, denial });
  return undefined;
}

function fault(state: State, message: string): undefined {
  state.faultCount++;
  if (state.faults.length < MAX_FAULTS) state.faults.push({ path: [...state.path], message });
  return undefined;
}
