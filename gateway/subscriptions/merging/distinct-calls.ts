import type { CallerScope, Transport } from '../../fetch/transport';
import type { Waiting } from './waiting';

/** Askers who send the same. */
export interface DistinctCall {
  askers: readonly Waiting[];
  query: string;
  variablesText: string;
}

/** The different calls among those of askers, for each scope by itself. An asker whose variables cannot be written fails. */
export function distinctCalls(askers: readonly Waiting[], transport: Transport): Iterable<readonly DistinctCall[]> {
  const scopes = new Map<string, DistinctCalls>();
  let last: { caller: CallerScope; scope: string } | undefined;
  for (const asker of askers) {
    const { call } = asker;
    try {
      const variablesText = call.variablesText();
      last = last && isSame(last.caller, call) ? last : { caller: call, scope: transport.scopeOf(call) };
      const calls = scopes.get(last.scope) ?? new DistinctCalls();
      scopes.set(last.scope, calls);
      calls.add(asker, call.operation.query, variablesText);
    } catch (error) {
      asker.fail(error);
    }
  }
  return [...scopes.values()].map(({ all }) => all);
}

class DistinctCalls {
  readonly all: DistinctCall[] = [];
  /** By query and by variables: both can be long, so no key is made of them. */
  private readonly known = new Map<string, Map<string, Waiting[]>>();

  add(asker: Waiting, query: string, variablesText: string): void {
    const alike = this.known.get(query) ?? new Map<string, Waiting[]>();
    this.known.set(query, alike);
    const equal = alike.get(variablesText);
    if (equal) return void equal.push(asker);
    const askers = [asker];
    alike.set(variablesText, askers);
    this.all.push({ askers, query, variablesText });
  }
}

/** Whether two callers are seen to be the same without a look at what they have. */
function isSame(a: CallerScope, b: CallerScope): boolean {
  return (
    a.identity === b.identity &&
    a.authorization === b.authorization &&
    a.headers === b.headers &&
    a.connectionParams === b.connectionParams
  );
}
