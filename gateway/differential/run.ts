import { print } from 'graphql';
import type { ComparedGateway, Comparison, Difference } from './compare';
import type { Operation } from './documents';
import { generateOperation } from './generate';
import { createRandom } from './random';
import { shrink } from './shrink';
import type { Failures } from './values';

export interface RunOptions {
  /** The first operation's seed; the next one has the next. */
  seed: number;
  /** Operations to compare. */
  count: number;
  /** Differences that are of no interest. Default none. */
  ignored?: readonly Difference[];
}

/** An operation that the gateway answers differently, shrunk. */
export interface Mismatch {
  seed: number;
  operation: Operation;
  comparison: Comparison;
  /** All of it as text for a person. */
  report: string;
}

const FAILURES: readonly Failures[] = ['none', 'none', 'nullable', 'any'];
const SIZES = [0.2, 0.4, 1] as const;

/** The operation of a seed, and the world that it runs in; null when chance made nothing valid of the seed. */
export function operationOfSeed(
  { supergraph }: ComparedGateway,
  seed: number,
): { operation: Operation | null; failures: Failures } {
  const random = createRandom(seed);
  const failures = random.pick(FAILURES);
  const operation = generateOperation(supergraph.apiSchema, random, {
    maxFields: Math.ceil(supergraph.largest.fields * random.pick(SIZES)),
    maxDepth: supergraph.largest.depth,
  });
  return { operation, failures };
}

/** Compares operations by chance, seed after seed, until `count` are compared; yields those that differ. */
export async function* mismatches(gateway: ComparedGateway, options: RunOptions): AsyncGenerator<Mismatch, void, void> {
  let { seed } = options;
  for (let left = options.count; left > 0; seed++) {
    const { operation, failures } = operationOfSeed(gateway, seed);
    if (!operation) continue;
    left--;
    const { difference } = await gateway.compare(operation, seed, failures);
    if (difference === null || options.ignored?.includes(difference)) continue;
    yield await describeMismatch(gateway, { operation, seed, failures, difference });
  }
}

async function describeMismatch(
  gateway: ComparedGateway,
  found: { operation: Operation; seed: number; failures: Failures; difference: Difference },
): Promise<Mismatch> {
  const { seed, failures, difference } = found;
  const { apiSchema, name } = gateway.supergraph;
  const fails = async (candidate: Operation): Promise<boolean> =>
    (await gateway.compare(candidate, seed, failures)).difference === difference;
  const operation = await shrink(apiSchema, found.operation, fails);
  const comparison = await gateway.compare(operation, seed, failures);
  return {
    seed,
    operation,
    comparison,
    report: `supergraph ${name}, seed ${seed}, failures ${failures}: ${describeComparison(operation, comparison)}`,
  };
}

/** All of a comparison as text for a person: operation, both answers, and the calls that were made. */
export function describeComparison(operation: Operation, { difference, expected, got, calls }: Comparison): string {
  const callTexts = calls.map(
    ({ subgraph, query, variables, answer }) =>
      `${subgraph}: ${query.replace(/\s+/g, ' ')} ${JSON.stringify(variables)}\n    => ${JSON.stringify(answer)}`,
  );
  return [
    difference === null ? 'no difference' : `differs in ${difference}`,
    print(operation.document),
    `variables ${JSON.stringify(operation.variables)}`,
    `expected ${expected}`,
    `got      ${got}`,
    ...callTexts,
  ].join('\n');
}
