import { valueFromASTUntyped, type FieldNode } from 'graphql';
import { isDataObject, ownValue } from '../execute/data';
import type { RateLimitRule } from './rules';
import type { SelectedField } from './selected-fields';

/** How often an operation executes what counts. */
export interface OperationCounts {
  /** Fields at the root. */
  roots: number;
  marked: readonly MarkedCount[];
}

/** Executions of fields with one rule that belong to one count. */
export interface MarkedCount {
  rule: RateLimitRule;
  /** What the argument says; null where the rule is about none, or it is missing. */
  value: string | null;
  points: number;
}

/** Counts the selected fields that these variables, which are coerced, leave in the operation. */
export function countFields(fields: readonly SelectedField[], variables: Record<string, unknown>): OperationCounts {
  const roots = new Set<string>();
  const marked = new Map<string, MarkedCount>();
  const seen = new Set<string>();
  for (const field of fields) {
    if (!field.conditions.every(({ variable, wanted }) => ownValue(variables, variable) === wanted)) continue;
    if (field.isRoot) roots.add(field.path);
    for (const rule of field.rules) {
      const execution = `${field.path} ${rule.id}`;
      if (seen.has(execution)) continue;
      seen.add(execution);
      const value = argumentValue(field.node, rule, variables);
      const key = `${rule.id} ${value}`;
      marked.set(key, { rule, value, points: (marked.get(key)?.points ?? 0) + 1 });
    }
  }
  return { roots: roots.size, marked: [...marked.values()] };
}

/** Whether counting these fields needs variables. */
export function dependsOnVariables(fields: readonly SelectedField[]): boolean {
  return fields.some(
    ({ conditions, rules }) => conditions.length > 0 || rules.some(({ argument }) => argument.length > 0),
  );
}

/** Text is compared as addresses are: without case, composition and space around it. */
function argumentValue(
  node: FieldNode,
  { argument }: RateLimitRule,
  variables: Record<string, unknown>,
): string | null {
  const [name, ...path] = argument;
  const given = name === undefined ? undefined : node.arguments?.find((each) => each.name.value === name);
  if (!given) return null;
  const value = path.reduce<unknown>(
    (at, key) => (isDataObject(at) ? ownValue(at, key) : undefined),
    valueFromASTUntyped(given.value, variables),
  );
  if (value === undefined || value === null) return null;
  return typeof value === 'string' ? value.trim().normalize('NFC').toLowerCase() : JSON.stringify(value);
}
