import type { DeferNode, PlanNode, QueryPlan, SubscriptionNode } from '@apollo/query-planner';
import {
  Kind,
  parse,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import type { Rule } from '../../platform/identity/rules';
import { rulesIn } from '../access/rules-in';
import type { PlannedRequest } from '../plan/planner';
import { deniedRoots } from '../plan/without-denied';
import type { LoadedSupergraph } from '../supergraph/supergraph';
import { compileEventSource, type EventSource } from './event-source';
import { compileProgram, type Program } from './program';
import { selectsOnlyPublic } from './public-answers';
import { responseWriter, type ResponseWriter } from './response-writer';
import { placeAt, type QueryPlace } from './place-at';
import { typeTests, type TypeTests } from './types';

/** An operation ready to run: only data is missing. Shared by all requests with the same text, so it must not be changed. */
export interface CompiledOperation {
  definition: OperationDefinitionNode;
  /** The response name a client knows, for every name that planning replaced: data goes by the latter. */
  clientNames: ReadonlyMap<string, string>;
  /** The fragments of its document. */
  fragments: readonly FragmentDefinitionNode[];
  /** What its source adds to the answer; undefined for queries and mutations. */
  source: EventSource | undefined;
  /** Whether what follows an event is the same for everybody. */
  answersArePublic: boolean;
  /** What its fields demand of callers, and the `id`s of those rules that do not hold for those it is for. */
  rules: readonly Rule[];
  failed: readonly string[];
  /** What to run: the fetches of a query or mutation, or those that follow an event. */
  stage: Stage;
}

/** Fetches whose data is sent together, with what is sent later (`@defer`). */
export interface Stage {
  program: Program;
  /** Writes what this stage answers. Undefined when it has nothing of its own. */
  writer: ResponseWriter | undefined;
  deferred: readonly DeferredStage[];
}

export interface DeferredStage {
  label: string | undefined;
  /** Ids of the fetches its own wait for. */
  dependsOn: readonly string[];
  /** Response names and `@` for lists, from the root: an answer for each object there. */
  path: readonly string[];
  stage: Stage;
}

/** Compiles plans of one supergraph. */
export function createCompiler(
  supergraph: LoadedSupergraph,
): (request: PlannedRequest, plan: QueryPlan) => CompiledOperation {
  const types = typeTests(supergraph.fullSchema);
  return (request, plan) => new OperationCompiler(supergraph, types, request).compile(plan);
}

class OperationCompiler {
  private readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  private readonly definition: OperationDefinitionNode;
  private readonly rootType: GraphQLCompositeType;

  constructor(
    private readonly supergraph: LoadedSupergraph,
    private readonly types: TypeTests,
    private readonly request: PlannedRequest,
  ) {
    this.definition = request.operation;
    this.fragments = new Map(
      request.document.definitions.flatMap((node) =>
        node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node] as const] : [],
      ),
    );
    this.rootType = supergraph.apiSchema.getRootType(this.definition.operation)!;
  }

  compile({ node }: QueryPlan): CompiledOperation {
    const { definition } = this;
    const { requirements, apiSchema } = this.supergraph;
    const rules = requirements ? rulesIn(this.request, apiSchema, requirements) : [];
    const base = { definition, clientNames: this.request.clientNames, fragments: [...this.fragments.values()] };
    const access = { rules, failed: rules.flatMap(({ id }) => (this.request.failed.includes(id) ? [id] : [])) };
    if (node?.kind !== 'Subscription')
      return { ...base, ...access, source: undefined, answersArePublic: false, stage: this.stageOf(node) };
    const answersArePublic = selectsOnlyPublic(node.rest, this.supergraph.fullSchema);
    return { ...base, ...access, source: this.source(node), answersArePublic, stage: this.stageOf(node.rest) };
  }

  private source({ primary }: SubscriptionNode): EventSource {
    const { fullSchema: schema, streamField: fieldOf } = this.supergraph;
    return compileEventSource(primary, { schema, types: this.types, fieldOf });
  }

  private stageOf(node: PlanNode | undefined): Stage {
    const nothing = this.stageOfNothing();
    if (nothing) return nothing;
    if (node?.kind === 'Defer') return this.deferStage(node);
    return this.stage(node, this.rootType, this.definition.selectionSet, []);
  }

  /** Where a null that is certain makes the whole answer null, nothing is done; of a mutation least of all. */
  private stageOfNothing(): Stage | undefined {
    const { denials } = this.request;
    const denied = denials ? deniedRoots(this.request, this.supergraph.apiSchema, denials) : [];
    if (denied.every(({ isNonNull }) => !isNonNull)) return undefined;
    const faults = denied.map(({ name, denial }) => ({ path: [name], message: denial.message, denial }));
    return {
      program: compileProgram(undefined, this.types),
      writer: () => ({ text: 'null', faults }),
      deferred: [],
    };
  }

  private deferStage({ primary, deferred }: DeferNode, place = this.placeAt([])): Stage {
    const own = this.ownStage(primary, place);
    return { ...own, deferred: deferred.map((part) => this.deferredStage(part)) };
  }

  private deferredStage({
    depends,
    label,
    queryPath,
    subselection,
    node,
  }: DeferNode['deferred'][number]): DeferredStage {
    const place = this.placeAt(queryPath);
    return {
      label,
      dependsOn: depends.map(({ id }) => id),
      path: place.path,
      stage: node?.kind === 'Defer' ? this.deferStage(node, place) : this.ownStage({ subselection, node }, place),
    };
  }

  private placeAt(queryPath: readonly string[]): QueryPlace {
    const { selectionSet } = this.definition;
    return placeAt(this.supergraph.apiSchema, this.rootType, selectionSet, this.fragments, queryPath);
  }

  /** A stage that answers what the planner says, which is a text of its own. */
  private ownStage(
    { subselection, node }: { subselection?: string | undefined; node?: PlanNode | undefined },
    { type, path }: QueryPlace,
  ): Stage {
    if (subselection === undefined)
      return { program: compileProgram(node, this.types), writer: undefined, deferred: [] };
    const selection = parse(subselection, { noLocation: true }).definitions[0] as OperationDefinitionNode;
    return this.stage(
      node,
      type,
      selection.selectionSet,
      path.map((key) => key.replace(/\|\[.*\]$/, '')).filter((key) => key !== '@'),
    );
  }

  private stage(
    node: PlanNode | undefined,
    type: GraphQLCompositeType,
    selection: SelectionSetNode,
    path: readonly string[],
  ): Stage {
    const program = compileProgram(node, this.types);
    const sharedBelow = program.mayShare ? entityPaths(program) : [];
    const mayRepeat = (at: readonly string[]): boolean =>
      sharedBelow.some((keys) => keys.length <= at.length && keys.every((key, index) => key === at[index]));
    const writer = responseWriter({
      schema: this.supergraph.apiSchema,
      type,
      selections: [selection],
      fragments: this.fragments,
      mayRepeat,
      clientNames: this.request.clientNames,
      denials: this.request.denials,
      path,
    });
    return { program, writer, deferred: [] };
  }
}

/** Paths of entities: there and below objects may be shared. */
function entityPaths(program: Program): (readonly string[])[] {
  return program.steps.flatMap(({ parts }) => parts.flatMap(({ paths }) => paths.map(({ keys }) => keys)));
}
