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
import { createDenials, type Denials } from '../access/denials';
import type { LoadedSupergraph } from '../supergraph/supergraph';
import { renameClashingFields } from './client-names';
import { decideConditions } from './conditions';
import { labelsThatMatter } from './override-labels';
import { plannerDocument } from './planner-document';
import type { PlanJob } from './thread/messages';
import { withoutDenied } from './without-denied';

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
  /** The `id`s of the rules that do not hold for its callers, sorted. */
  failed: readonly string[];
}

/** An operation with everything decided that its plan depends on, and the key of that plan. */
export interface KeyedRequest extends OperationRequest {
  key: string;
  use: OperationInUse;
  /** Whether `document` says what `source` does: conditions change it. */
  isAsWritten: boolean;
  /** What is not for its callers. */
  denials: Denials | undefined;
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
  /** The `id`s of the rules that do not hold for its callers. */
  failed: readonly string[];
  /** What is not for its callers: it is in `document`, where it is answered with null, and not in the plan. */
  denials: Denials | undefined;
}

/**
 * Decides the conditions and picks the labels that matter; `failed` are the `id`s of rules that do not hold for the caller.
 * The supergraph is not part of the key: every supergraph has a planner of its own. Throws BAD_USER_INPUT as `decideConditions` does.
 */
export function keyedRequest(
  request: OperationRequest,
  variables: Record<string, unknown>,
  labels: ReadonlyMap<string, boolean> | undefined,
  supergraph: LoadedSupergraph,
  failed: readonly string[] = [],
): KeyedRequest {
  const { source } = request;
  const { document, operation, conditions } = decideConditions(request, variables);
  const use: OperationInUse = {
    source,
    operationName: isAlone(document) ? undefined : operation.name?.value,
    conditions,
    labels: labels ? labelsThatMatter(document, labels, supergraph) : [],
    failed,
  };
  const isAsWritten = document === request.document;
  return { source, document, operation, key: keyOf(use), use, isAsWritten, denials: denialsOf(failed, supergraph) };
}

function keyOf({ source, operationName, conditions, labels, failed }: OperationInUse): string {
  const isPlain = operationName === undefined && conditions.length === 0 && labels.length === 0 && failed.length === 0;
  // No document begins like the JSON of a list.
  return isPlain ? source : `${JSON.stringify([operationName, conditions, labels, failed])}${source}`;
}

function denialsOf(failed: readonly string[], { requirements, apiSchema }: LoadedSupergraph): Denials | undefined {
  return requirements && failed.length > 0 ? createDenials(requirements, new Set(failed), apiSchema) : undefined;
}

/** The request of an operation that was in use; undefined when it is not valid for this supergraph. */
export function requestInUse(use: OperationInUse, supergraph: LoadedSupergraph): KeyedRequest | undefined {
  try {
    const document = parse(use.source, { noLocation: true });
    const operation = getOperationAST(document, use.operationName);
    if (!operation || validate(supergraph.apiSchema, document, SCHEMA_RULES).length > 0) return undefined;
    const request = { source: use.source, document, operation };
    return keyedRequest(request, Object.fromEntries(use.conditions), labelsOf(use, supergraph), supergraph, use.failed);
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
  const { source, denials, use } = request;
  return { source, denials, failed: use.failed, ...renameClashingFields(request, addedFields) };
}

/** What a thread is asked to plan. */
export function jobOf(request: KeyedRequest, supergraph: LoadedSupergraph): PlanJob {
  const document = plannerDocument(allowedRequest(request, supergraph), supergraph);
  return {
    text: request.isAsWritten && document === request.document ? request.source : print(document),
    operationName: request.operation.name?.value,
    labels: request.use.labels,
  };
}

function allowedRequest(
  request: KeyedRequest,
  supergraph: LoadedSupergraph,
): Pick<OperationRequest, 'document' | 'operation'> {
  const planned = plannedRequest(request, supergraph);
  return planned.denials ? withoutDenied(planned, supergraph.apiSchema, planned.denials) : planned;
}

/** Whether the document has one operation only, so that its name changes nothing. */
function isAlone({ definitions }: DocumentNode): boolean {
  let operations = 0;
  for (const { kind } of definitions) if (kind === Kind.OPERATION_DEFINITION) operations += 1;
  return operations === 1;
}
