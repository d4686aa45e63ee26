import { visit, type DocumentNode } from 'graphql';
import type { LoadedSupergraph } from '../supergraph/supergraph';

/** How the labels of `@override(label:)` are decided for one request. */
export interface LabelDecisions {
  /** Labels of one's own that are active, e.g. by deployment; all others are not. */
  active?: ReadonlySet<string>;
  /** A number of 0 ≤ n < 1 that decides `percent(N)` labels; default `Math.random`. */
  random?: () => number;
}

/**
 * Decides every override label of a supergraph for one request: `percent(N)` holds for N percent of all requests, others
 * hold when they are listed. One number decides all percentages of a request, so one that got `percent(5)` also gets
 * `percent(20)`.
 */
export function overrideConditions(
  labels: readonly string[],
  { active, random = Math.random }: LabelDecisions = {},
): ReadonlyMap<string, boolean> {
  if (labels.length === 0) return NONE;
  const percentage = random() * 100;
  return new Map(
    labels.map((label) => {
      const [, percent] = /^percent\((\d{1,3}(?:\.\d{1,8})?)\)$/.exec(label) ?? [];
      return [label, percent === undefined ? active?.has(label) === true : percentage < Number(percent)];
    }),
  );
}

const NONE: ReadonlyMap<string, boolean> = new Map();

/**
 * The labels that can change the plan of a document: those of a field whose name occurs in it, or that plans select by
 * themselves (keys, `@requires`). Sorted, so that they can be part of a key.
 */
export function labelsThatMatter(
  document: DocumentNode,
  labels: ReadonlyMap<string, boolean>,
  { labelledFields, addedFields }: Pick<LoadedSupergraph, 'labelledFields' | 'addedFields'>,
): (readonly [label: string, isActive: boolean])[] {
  if (labels.size === 0 || labelledFields.size === 0) return [];
  const names = new Set<string>();
  visit(document, { Field: (node) => void names.add(node.name.value) });
  const matters = (label: string): boolean =>
    [...(labelledFields.get(label) ?? [])].some((field) => names.has(field) || addedFields.has(field));
  return [...labels].filter(([label]) => matters(label)).sort(([a], [b]) => (a < b ? -1 : 1));
}
