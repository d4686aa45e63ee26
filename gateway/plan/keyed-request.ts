import {
  getOperationAST,
  Kind,
  parse,
  print,
  SingleFieldSubscriptionsRule,
  specifiedRules,
  validate,
  type DocumentNode,
  type OperationDefinitionNode,
} from 'graphql';
import type { LoadedSupergraph } from '../supergraph/supergraph';
import { renameClashingFields } from './client-names';
import { decideConditions } from './conditions';
import { labelsThatMatter } from './override-labels';
import { plannerDocument } from './planner-document';
import type { PlanJob } from './thread/messages';

/** A validated document and the operation in it that is asked for. */
export interface OperationRequest {
  /** Text of the document: the main part of the key of its plan. */
  source: string;
  document: DocumentNode;
  operation: OperationDefinitionNode;
}

/** What is needed to plan an operation again. */
export interface OperationInUse {
  source: string;
  operationName: string | undefined;
  /** Values of the variables in conditions. */
  conditions: readonly (readonly [variable: string, value: boolean])[];
  labels: readonly (readonly [label: string, isActive: boolean])[];
}

/** An operation with everything decided that its plan depends on, and the key of that plan. */
export interface KeyedRequest extends OperationRequest {
  key: string;
  use: OperationInUse;
  /** Whether `document` says what `source` does: conditions change it. */
  isAsWritten: boolean;
}

/** What a plan was made for. */
export interface PlannedRequest extends OperationRequest {
  /**
   * What the answer is made by: conditions are decided (so selection sets may be empty), and response names that clash
   * with the planner's own are replaced. The data of an execution goes by these names.
   */
  document: DocumentNode;
  operation: OperationDefinitionNode;
  /** The response name a client knows, for every name that was replaced: for the answer and for paths of errors. */
  clientNames: ReadonlyMap<string, string>;
}

/**
 * Decides the conditions and picks the labels that matter. The supergraph is not part of the key: every supergraph has a
 * planner of its own. Throws BAD_USER_INPUT as `decideConditions` does.
 */
export function keyedRequest(
  request: OperationRequest,
  variables: Record<string, unknown>,
  labels: ReadonlyMap<string, boolean> | undefined,
  supergraph: LoadedSupergraph,
): KeyedRequest {
  const { source } = request;
  const { document, operation, conditions } = decideConditions(request, variables);
  const use: OperationInUse = {
    source,
    operationName: isAlone(document) ? undefined : operation.name?.value,
    conditions,
    labels: labels ? labelsThatMatter(document, labels, supergraph) : [],
  };
  const isPlain = use.operationName === undefined && use.conditions.length === 0 && use.labels.length === 0;
  // No document begins like the JSON of a list.
  const key = isPlain ? source : `${JSON.stringify([use.operationName, use.conditions, use.labels])}${source}`;
  return { source, document, operation, key, use, isAsWritten: document === request.document };
}

/** The request of an operation that was in use; undefined when it is not valid for this supergraph. */
export function requestInUse(use: OperationInUse, supergraph: LoadedSupergraph): KeyedRequest | undefined {
  try {
    const document = parse(use.source, { noLocation: true });
    const operation = getOperationAST(document, use.operationName);
    if (!operation || validate(supergraph.apiSchema, document, SCHEMA_RULES).length > 0) return undefined;
    const request = { source: use.source, document, operation };
    return keyedRequest(request, Object.fromEntries(use.conditions), labelsOf(use, supergraph), supergraph);
  } catch {
    return undefined; // it cannot even be parsed
  }
}

/** Labels this supergraph has besides are off, as those of most are. */
function labelsOf({ labels }: OperationInUse, supergraph: LoadedSupergraph): ReadonlyMap<string, boolean> {
  return new Map([...supergraph.labels.map((label) => [label, false] as const), ...labels]);
}

/** Rules about root fields of subscriptions are the servers' own, and no reload changes what they say. */
const SCHEMA_RULES = specifiedRules.filter((rule) => rule !== SingleFieldSubscriptionsRule);

/** The request as it is planned and compiled. */
export function plannedRequest(request: KeyedRequest, { addedFields }: LoadedSupergraph): PlannedRequest {
  return { source: request.source, ...renameClashingFields(request, addedFields) };
}

/** What a thread is asked to plan. */
export function jobOf(request: KeyedRequest, supergraph: LoadedSupergraph): PlanJob {
  const document = plannerDocument(plannedRequest(request, supergraph), supergraph);
  return {
    text: request.isAsWritten && document === request.document ? request.source : print(document),
    operationName: request.operation.name?.value,
    labels: request.use.labels,
  };
}

/** Whether the document has one operation only, so that its name changes nothing. */
function isAlone({ definitions }: DocumentNode): boolean {
  let operations = 0;
  for (const { kind } of definitions) if (kind === Kind.OPERATION_DEFINITION) operations += 1;
  return operations === 1;
}
