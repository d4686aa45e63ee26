import type { DocumentNode, GraphQLSchema, OperationDefinitionNode } from 'graphql';
import { holds, type Rule } from '../../platform/identity/rules';
import type { Logger } from '../../platform/logger';
import type { Asker } from '../execute/execution';
import type { Requirements } from './requirements';
import { rulesIn } from './rules-in';

/**
 * Of these policies those that hold for a caller. One that is not named in the answer does not hold, and none does when
 * it throws, which is logged. Asked once for each operation that has some, for each event stream when it is opened or renewed.
 */
export type Policies = (names: readonly string[], caller: Asker) => Iterable<string> | Promise<Iterable<string>>;

/** How the gateway keeps `@authenticated`, `@requiresScopes` and `@policy`; docs/gateway-configuration.md. */
export interface AuthorizationOptions {
  /**
   * What becomes of an operation with fields that are not for its caller: `partial`: they are null, with an error each,
   * and nothing is fetched for them; `refuse`: nothing of it is run. Default `partial`.
   */
  mode?: 'partial' | 'refuse';
  /** Without it no policy holds. */
  policies?: Policies;
}

/** Decides which rules hold for whom. */
export interface Access {
  /** The `id`s of an operation's rules that do not hold for the caller, sorted; at once unless policies take time. */
  failing(request: AskedOperation, caller: Asker): readonly string[] | Promise<readonly string[]>;
  /** The same for rules that are known. */
  failingOf(rules: readonly Rule[], caller: Asker): readonly string[] | Promise<readonly string[]>;
}

interface AskedOperation {
  document: DocumentNode;
  operation: OperationDefinitionNode;
}

const NONE: readonly string[] = [];

export function createAccess(
  requirements: Requirements,
  schema: GraphQLSchema,
  { policies, logger }: { policies: Policies | undefined; logger: Logger },
): Access {
  /** Documents are kept, so that looking for rules is done once for each. */
  const known = new WeakMap<OperationDefinitionNode, readonly Rule[]>();
  const rulesOf = (request: AskedOperation): readonly Rule[] => {
    let rules = known.get(request.operation);
    if (!rules) known.set(request.operation, (rules = rulesIn(request, schema, requirements)));
    return rules;
  };
  const holding = async (asked: readonly string[], caller: Asker): Promise<ReadonlySet<string>> => {
    try {
      return new Set(await policies?.(asked, caller));
    } catch (error) {
      logger.error({ error, requestId: caller.identity.requestId }, 'policies could not be decided: none holds');
      return new Set();
    }
  };
  const failingOf: Access['failingOf'] = (rules, caller) => {
    if (rules.length === 0) return NONE;
    const asked = policies ? policiesIn(rules) : [];
    if (asked.length === 0) return failed(rules, caller, new Set());
    return holding(asked, caller).then((held) => failed(rules, caller, held));
  };
  return { failing: (request, caller) => failingOf(rulesOf(request), caller), failingOf };
}

function policiesIn(rules: readonly Rule[]): string[] {
  return [...new Set(rules.flatMap(({ kind, anyOf }) => (kind === 'policy' ? anyOf.flat() : [])))];
}

function failed(rules: readonly Rule[], { identity }: Asker, policies: ReadonlySet<string>): readonly string[] {
  const broken = rules.filter((rule) => !holds(rule, identity.viewer, policies));
  return broken.length === 0 ? NONE : broken.map(({ id }) => id);
}
