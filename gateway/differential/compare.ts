import { execute, print, type ExecutionResult } from 'graphql';
import { SautiError } from '../../platform/errors';
import type { VerifiedToken } from '../../platform/identity/access-token';
import { ADMIN_SCOPES, USER_SCOPES } from '../../platform/identity/scopes';
import { silentLogger } from '../../platform/logger';
import type { Subgraph } from '../../platform/subgraph/subgraph';
import type { GatewayOptions } from '../options';
import { createGateway } from '../server';
import type { Operation } from './documents';
import { canonical } from './random';
import type { HashSupergraph } from './supergraphs/compose';
import type { Failures } from './values';

/**
 * How two answers differ: `order`: only in the order of fields; `data`: otherwise in the data; `errors`: in the places
 * that failed; `refused`: the gateway answers no data at all; `mutations`: in what was changed.
 */
export const DIFFERENCES = ['order', 'data', 'errors', 'refused', 'mutations'] as const;
export type Difference = (typeof DIFFERENCES)[number];

/** What one operation gave on both sides, and how the gateway came to its answer. */
export interface Comparison {
  /** Null when the gateway answers like the unsplit schema. */
  difference: Difference | null;
  expected: string;
  got: string;
  calls: readonly Call[];
}

export interface Call {
  subgraph: string;
  query: string;
  variables: unknown;
  answer: unknown;
}

export interface ComparedGateway extends AsyncDisposable {
  supergraph: HashSupergraph;
  /** Operations that were refused because planning them takes too much time or memory. */
  overBudget(): number;
  /** Runs an operation in the world with this seed on both sides. */
  compare(operation: Operation, seed: number, failures: Failures, authorization?: string): Promise<Comparison>;
}

type Path = readonly (string | number)[];
interface Answer {
  data?: unknown;
  errors?: readonly { message: string; path?: Path | undefined }[];
}

/** Wider than what clients get: the test is about answers, not about limits. */
const LIMITS = {
  maxTokens: 20_000,
  maxDepth: 60,
  maxAliases: 2_000,
  maxSelections: 50_000,
  maxRepeats: 1_000_000,
  maxBodyBytes: 1_000_000,
};

/** More than clients get, since the machine may be busy. */
const PLANNING_MS = 20_000;

/** Sauti's own schema demands scopes. */
const EVERYTHING: VerifiedToken = {
  viewer: { userId: 'u', sessionId: 's', scopes: [...USER_SCOPES, ...ADMIN_SCOPES] },
  issuedAt: new Date(),
  endsAt: new Date(8.64e15),
};

/** A gateway on a free port, over the subgraphs of a hash world, in this process. Everybody may do everything unless `options` say otherwise. */
export async function aComparedGateway(
  supergraph: HashSupergraph,
  options: Pick<GatewayOptions, 'authenticate' | 'authorization'> = {},
): Promise<ComparedGateway> {
  const calls: Call[] = [];
  const gateway = await createGateway({
    supergraphSdl: supergraph.sdl,
    subgraphs: new Map([...supergraph.subgraphs].map(([name, subgraph]) => [name, recorded(subgraph, calls)])),
    logger: silentLogger,
    development: true,
    limits: LIMITS,
    planning: { budgetMs: PLANNING_MS },
    authenticate: async () => EVERYTHING,
    ...options,
  });
  let overBudget = 0;
  const { address } = await gateway.listen(0, '127.0.0.1');
  const url = `http://127.0.0.1:${address.port}/graphql`;
  const { world } = supergraph;
  return {
    supergraph,
    overBudget: () => overBudget,
    async compare({ document, variables }, seed, failures, authorization) {
      const query = print(document);
      world.reset(seed, failures);
      const expected = await execute({ schema: supergraph.unsplit, document, variableValues: variables });
      refuseFaultyWorld(expected);
      const mutations = [...world.mutations];
      world.reset(seed, failures);
      calls.length = 0;
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(authorization === undefined ? {} : { authorization }) },
        body: JSON.stringify({ query, variables }),
      });
      const got = await response.text();
      // Whether later mutations still run when an earlier one has emptied the answer, nobody promises.
      const comparable = expected.data ? world.mutations : world.mutations.slice(0, mutations.length);
      if (isOverBudget(got)) {
        overBudget++;
        return { difference: null, expected: JSON.stringify(expected), got, calls: [...calls] };
      }
      const difference = canonical(comparable) === canonical(mutations) ? differenceOf(expected, got) : 'mutations';
      return { difference, expected: JSON.stringify(expected), got, calls: [...calls] };
    },
    [Symbol.asyncDispose]: () => gateway.stop(),
  };
}

function isOverBudget(text: string): boolean {
  const { errors } = JSON.parse(text) as { errors?: { extensions?: { code?: string } }[] };
  return errors?.[0]?.extensions?.code === 'PLAN_BUDGET_EXCEEDED';
}

function recorded(subgraph: Subgraph, calls: Call[]): Subgraph {
  return {
    ...subgraph,
    async execute(request, options) {
      const answer = await subgraph.execute(request, options);
      // A copy: the gateway may merge other answers into this one.
      calls.push({ subgraph: subgraph.name, ...structuredClone({ ...request, answer }), variables: request.variables });
      return answer;
    },
  };
}

/** Whatever fails in the unsplit schema must be a failure that the world meant. */
function refuseFaultyWorld({ errors = [] }: ExecutionResult): void {
  const faulty = errors.find(({ originalError }) => !(originalError instanceof SautiError));
  if (faulty) throw new Error(`The unsplit schema is faulty: ${faulty.message}`, { cause: faulty });
}

function differenceOf(expected: ExecutionResult, text: string): Difference | null {
  const answer = JSON.parse(text) as Answer;
  if (answer.data === undefined) return 'refused';
  if (canonical(answer.data) !== canonical(expected.data)) return 'data';
  if (failedPlaces(answer) !== failedPlaces(expected)) return 'errors';
  return text.includes(`"data":${JSON.stringify(expected.data)}`) ? null : 'order';
}

/**
 * Where errors left their null. An error in a non-null field empties what is around it, and then nobody promises which
 * of the failures in there are told; so what counts is the place in the data, not the path of the error.
 */
function failedPlaces({ data, errors = [] }: Answer): string {
  const places = errors.map(({ message, path }) => {
    if (!path) return `(no path) ${message}`;
    let value = data;
    const place: (string | number)[] = [];
    for (const key of path) {
      if (value === null || typeof value !== 'object') break;
      place.push(key);
      value = (value as Record<string, unknown>)[key];
    }
    return place.join('.');
  });
  return [...new Set(places)].sort().join(' ');
}
