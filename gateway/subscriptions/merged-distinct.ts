import type { CallerScope, Transport } from '../fetch/transport';
import type { Asker } from './merged-asker';

/** Askers who send the same. */
export interface DistinctCall {
  askers: readonly Asker[];
  query: string;
  variablesText: string;
}

/** The different calls among those of askers, for each scope by itself. An asker whose variables cannot be written fails. */
export function distinctCalls(askers: readonly Asker[], transport: Transport): Iterable<DistinctCall[]> {
  const scopes = new Map<string, Map<string, DistinctCall & { askers: Asker[] }>>();
  let last: { caller: CallerScope; scope: string } | undefined;
  for (const asker of askers) {
    const { call } = asker;
    try {
      const variablesText = call.variablesText();
      const { query } = call.operation;
      last = last && isSame(last.caller, call) ? last : { caller: call, scope: transport.scopeOf(call) };
      const calls = scopes.get(last.scope) ?? new Map<string, DistinctCall & { askers: Asker[] }>();
      scopes.set(last.scope, calls);
      const key = `${query}\n${variablesText}`;
      const known = calls.get(key);
      if (known) known.askers.push(asker);
      else calls.set(key, { askers: [asker], query, variablesText });
    } catch (error) {
      asker.fail(error);
    }
  }
  return [...scopes.values()].map((calls) => [...calls.values()]);
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
