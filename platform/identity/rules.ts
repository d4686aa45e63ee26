import { Kind, type ConstDirectiveNode, type ConstValueNode } from 'graphql';
import type { Viewer } from './viewer';

/** What a schema demands of callers with `@authenticated`, `@requiresScopes` or `@policy`. */
export interface Rule {
  kind: RuleKind;
  /** Of scopes or policies: all of one of these lists. */
  anyOf: readonly (readonly string[])[];
  /** The same for equal rules, in every schema. */
  id: string;
}

export type RuleKind = 'authenticated' | 'requiresScopes' | 'policy';

export const RULE_KINDS: readonly RuleKind[] = ['authenticated', 'requiresScopes', 'policy'];

/** The rule that a directive stands for. */
export function ruleOf(kind: RuleKind, { arguments: given = [] }: ConstDirectiveNode): Rule {
  if (kind === 'authenticated') return { kind, anyOf: [], id: kind };
  const lists = given[0] ? listOf(given[0].value).map((inner) => listOf(inner).map(textOf)) : [];
  return { kind, anyOf: lists, id: `${kind} ${JSON.stringify(lists)}` };
}

/** Whether a rule holds for somebody of whom these policies hold. Without alternatives it holds for nobody. */
export function holds({ kind, anyOf }: Rule, viewer: Viewer | null, policies: ReadonlySet<string>): boolean {
  if (kind === 'authenticated') return viewer !== null;
  if (kind === 'policy') return anyOf.some((all) => all.every((name) => policies.has(name)));
  return anyOf.some((all) => all.every((scope) => viewer?.scopes.includes(scope) ?? false));
}

/** Each rule once. */
export function distinctRules(rules: readonly Rule[]): readonly Rule[] {
  return [...new Map(rules.map((rule) => [rule.id, rule])).values()];
}

/** What a signed-in caller is told of rules that do not hold. Names scopes, which callers choose when they make a key; policies are ours. */
export function refusalText(coordinate: string, broken: readonly Rule[]): string {
  const needed = broken.filter(({ kind }) => kind === 'requiresScopes').map(({ anyOf }) => scopesText(anyOf));
  const because = needed.length > 0 ? ` It needs ${[...new Set(needed)].join(', and ')}.` : '';
  return `You are not allowed to use ${coordinate}.${because}`;
}

function scopesText(anyOf: readonly (readonly string[])[]): string {
  if (anyOf.length === 0) return 'what nobody has';
  return anyOf.map((all) => `the scope ${all.map((scope) => `"${scope}"`).join(' with ')}`).join(' or ');
}

/** The names that `@link` imports or renames from a specification: by the name there, without `@`. */
export function importedNames(link: ConstDirectiveNode): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const node of listOf(linkArgument(link, 'import') ?? { kind: Kind.LIST, values: [] })) {
    if (node.kind === Kind.STRING) names.set(node.value.replace(/^@/, ''), node.value.replace(/^@/, ''));
    if (node.kind !== Kind.OBJECT) continue;
    const by = (name: string): string | undefined => {
      const value = node.fields.find((field) => field.name.value === name)?.value;
      return value && textOf(value).replace(/^@/, '');
    };
    const name = by('name');
    if (name !== undefined) names.set(name, by('as') ?? name);
  }
  return names;
}

/** An argument of a `@link`: `url`, `as`, `import`. */
export function linkArgument(link: ConstDirectiveNode, name: string): ConstValueNode | undefined {
  return link.arguments?.find((node) => node.name.value === name)?.value;
}

/** A single value stands for a list of it (https://spec.graphql.org/October2021/#sec-List.Input-Coercion). */
function listOf(value: ConstValueNode): readonly ConstValueNode[] {
  return value.kind === Kind.LIST ? value.values : [value];
}

export function textOf(value: ConstValueNode): string {
  return value.kind === Kind.STRING ? value.value : '';
}
